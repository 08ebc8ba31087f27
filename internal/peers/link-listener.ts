import type { Clock } from "../base/clock.ts";
import { HeddleError } from "../base/heddle-error.ts";
import type { ByteStream } from "../rpc/calls/byte-stream.ts";
import { DEFAULT_LIMITS } from "../rpc/links/limits.ts";
import type { LinkBelow } from "../rpc/links/link-server.ts";
import { eventLoopTick } from "../stream/each-tick.ts";

/** Serves one link over what is below it. */
export type ServeLink = (below: LinkBelow) => void;

/**
 * A handler for the Link method of an internal service, for every link that is dialled. `fault` is told what handlers
 * throw that is not ours; the other end is told INTERNAL with the request id, and no more.
 */
export function linkListener(
  serve: ServeLink,
  clock: Clock,
  fault: (error: unknown) => void,
): (stream: ByteStream) => void {
  return (stream) =>
    serve({
      stream,
      clock,
      tick: eventLoopTick,
      limits: DEFAULT_LIMITS,
      fault: (error) => {
        fault(error);
        return HeddleError.from(error, stream.call.requestId);
      },
    });
}
