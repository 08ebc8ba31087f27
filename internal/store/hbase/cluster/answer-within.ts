import type { Deadlines } from "../../../stream/deadlines.ts";
import type { LinkCall, ServerLink } from "../wall/driver.ts";
import { HbaseError } from "../wall/hbase-error.ts";

/** A link on which nothing came for so long, in ms, while it owed an answer, is given up; a shorter call proves nothing. */
const SILENT_MS = 1_000;

/**
 * The answer of a call, or a rejection once `ms` have passed. Then the call is dropped; and where nothing at all came on
 * the link meanwhile, the link is closed, since the connection may be dead while both ends take it for alive.
 */
export function answerWithin<T>(
  deadlines: Deadlines,
  link: ServerLink,
  call: LinkCall<T>,
  ms: number,
  what: string,
): Promise<T> {
  const receivedBefore = link.receivedBytes;
  return deadlines.bound(call.answer, ms, () => {
    call.forget();
    if (ms >= SILENT_MS && link.receivedBytes === receivedBefore) link.close();
    return HbaseError.late(what, ms);
  });
}
