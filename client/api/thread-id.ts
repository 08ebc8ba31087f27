import { invalidField } from "../../internal/base/heddle-error.ts";

/** The id, if it is one. Throws INVALID_ARGUMENT. */
export function checkThreadId(threadId: string): string {
  if (!/^[0-9a-f]{32}$/.test(threadId)) throw invalidField("threadId", "32 hex digits");
  return threadId;
}
