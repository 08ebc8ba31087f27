import type { DescService } from "@bufbuild/protobuf";
import { type Clock, systemClock } from "../../../base/clock.ts";
import { HeddleError } from "../../../base/heddle-error.ts";
import { createLog } from "../../../base/log.ts";
import { createMetrics } from "../../../base/metrics.ts";
import { linkListener, type ServeLink } from "../../../peers/link-listener.ts";
import { insider } from "../../../rpc/calls/internal-services.ts";
import { createGrpcServer } from "../../../rpc/grpc/grpc-server.ts";
import { dialGrpc } from "../../../rpc/links/grpc-dialler.ts";
import { DEFAULT_LIMITS, FRAME_BYTES } from "../../../rpc/links/limits.ts";
import type { LinkStream } from "../../../rpc/links/link-stream.ts";
import { memoryPair } from "../../../rpc/links/memory-pair.ts";
import { parseListenAddress } from "../../../rpc/listen-address.ts";
import { createRpcMetrics } from "../../../rpc/metrics.ts";
import { eventLoopTick } from "../../../stream/each-tick.ts";

/** A service that serves links, and the way to it. */
export interface Linked {
  /** A new link. Its other end serves at once. */
  dial(): LinkStream;
  /** Breaks every link. */
  cut(): void;
  /** Ends links and listener. */
  close(): Promise<void>;
}

/** The ways below a link that adapters are tried over. */
export const WAYS: readonly (readonly [name: string, serve: typeof serveInMemory])[] = [
  ["a pair in memory", serveInMemory],
  ["gRPC", serveOnGrpc],
];

/** Links in memory. */
async function serveInMemory(
  _desc: DescService,
  open: ServeLink,
  clock: Clock = systemClock,
): Promise<Linked> {
  const pairs: ReturnType<typeof memoryPair>[] = [];
  const cut = () => {
    for (const pair of pairs.splice(0)) pair.cut();
  };
  return {
    dial: () => {
      const pair = memoryPair(eventLoopTick);
      pairs.push(pair);
      open({
        stream: pair.far,
        clock,
        tick: eventLoopTick,
        limits: DEFAULT_LIMITS,
        fault: (error) => HeddleError.from(error, "r1"),
      });
      return pair.near;
    },
    cut,
    close: async () => cut(),
  };
}

/** Links over grpc-js, from this process to itself. `cut` ends the server. */
async function serveOnGrpc(desc: DescService, open: ServeLink, clock: Clock = systemClock): Promise<Linked> {
  const context = {
    clock,
    log: createLog({ level: "silent" }),
    metrics: createRpcMetrics(createMetrics({ process: false })),
  };
  const link = linkListener(open, clock, () => {});
  const server = createGrpcServer({
    services: [{ desc, authenticate: insider, handlers: { link }, piecewise: new Set() }],
    context,
    isInternal: true,
    maxMessageBytes: FRAME_BYTES,
  });
  const address = parseListenAddress("127.0.0.1:0");
  if (!address) throw new Error("no address");
  const port = await server.listen(address);
  const [method] = desc.methods;
  if (!method) throw new Error(`${desc.typeName} has no method`);
  return {
    dial: () => dialGrpc(`127.0.0.1:${port}`, method, { clock: systemClock }),
    cut: () => server.close(),
    close: async () => server.close(),
  };
}
