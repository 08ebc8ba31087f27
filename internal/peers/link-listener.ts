import type { Clock } from "../base/clock.ts";
import { HeddleError } from "../base/heddle-error.ts";
import type { ByteStream } from "../rpc/calls/byte-stream.ts";
import { DEFAULT_LIMITS } from "../rpc/links/limits.ts";
import { type LinkHandler, LinkServer } from "../rpc/links/link-server.ts";
import { eventLoopTick } from "../stream/each-tick.ts";

/** A handler for the Link method of an internal service, whose links are all served alike. */
export function linkListener(
  service: string,
  handlers: readonly LinkHandler[],
  clock: Clock,
  fault: (error: unknown) => void,
): (stream: ByteStream) => void {
  return (stream) => {
    new LinkServer({
      stream,
      service,
      handlers,
      clock,
      tick: eventLoopTick,
      limits: DEFAULT_LIMITS,
      fault: (error) => {
        fault(error);
        return HeddleError.from(error, stream.call.requestId);
      },
    });
  };
}
