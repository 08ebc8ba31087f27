import type { MessageInitShape } from "@bufbuild/protobuf";
import { newUuid } from "../../../base/ids.ts";
import type { SendRequestSchema } from "../../../gen/heddle/message/v1/message_service_pb.js";

/** A first try of a text to a user, or to a thread, with a client_id of its own. */
export function sendOf(to: string | Uint8Array, text: string, baseSeq = 0n) {
  const target =
    typeof to === "string"
      ? { case: "toUserId" as const, value: to }
      : { case: "threadId" as const, value: to };
  return {
    target,
    clientId: newUuid(Date.now()),
    baseSeq,
    attempt: 1,
    body: { kind: { case: "text" as const, value: { text } } },
  } satisfies MessageInitShape<typeof SendRequestSchema>;
}
