import type { Deadlines } from "../../../stream/deadlines.ts";
import type { LinkCall, ServerLink } from "../wall/driver.ts";
import { HbaseError } from "../wall/hbase-error.ts";

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
    if (link.receivedBytes === receivedBefore) link.close();
    return HbaseError.late(what, ms);
  });
}
