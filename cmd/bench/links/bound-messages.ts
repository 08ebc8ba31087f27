import { systemClock as clock } from "../../../internal/base/clock.ts";
import { HeddleError } from "../../../internal/base/heddle-error.ts";
import { createLog } from "../../../internal/base/log.ts";
import { createMetrics } from "../../../internal/base/metrics.ts";
import { MessageInternalService } from "../../../internal/gen/heddle/message/v1/message_internal_service_pb.js";
import { linkListener, type ServeLink } from "../../../internal/peers/link-listener.ts";
import { MessageClient } from "../../../internal/peers/message-client.ts";
import { messageHandlers } from "../../../internal/peers/message-server.ts";
import type { Messages } from "../../../internal/push/ports.ts";
import { insider } from "../../../internal/rpc/calls/internal-services.ts";
import { createGrpcServer } from "../../../internal/rpc/grpc/grpc-server.ts";
import { dialGrpc } from "../../../internal/rpc/links/grpc-dialler.ts";
import { DEFAULT_LIMITS, FRAME_BYTES } from "../../../internal/rpc/links/limits.ts";
import { LinkClient } from "../../../internal/rpc/links/link-client.ts";
import { LinkServer } from "../../../internal/rpc/links/link-server.ts";
import type { LinkStream } from "../../../internal/rpc/links/link-stream.ts";
import { memoryPair } from "../../../internal/rpc/links/memory-pair.ts";
import { parseListenAddress } from "../../../internal/rpc/listen-address.ts";
import { createRpcMetrics } from "../../../internal/rpc/metrics.ts";
import { eventLoopTick } from "../../../internal/stream/each-tick.ts";

/**
 * The ways to the port: as in the all-in-one program; over a link whose bytes stay in memory, which shows what the link
 * itself costs; and over gRPC on 127.0.0.1, as between two programs.
 */
export type Way = "direct" | "memory" | "grpc";

/** The port, as the asker has it. */
export interface BoundMessages {
  readonly messages: Messages;
  close(): void;
}

/** As every program of the mesh links: the same bounds, and frames joined once a turn of the event loop. */
const context = { clock, tick: eventLoopTick, limits: DEFAULT_LIMITS };

/** Binds the port in one of the ways. `served` answers in all of them. The caller closes what it gets. */
export async function bindMessages(way: Way, served: Messages): Promise<BoundMessages> {
  if (way === "direct") return { messages: served, close: () => {} };
  const handlers = messageHandlers(served, clock);
  const serve: ServeLink = (below) => {
    new LinkServer({ ...below, service: "message", handlers });
  };
  const below = way === "memory" ? overMemory(serve) : await overGrpc(serve);
  const link = new LinkClient({ ...context, stream: below.stream, service: "message" });
  return {
    messages: new MessageClient(link),
    close: () => {
      link.close();
      below.close();
    },
  };
}

/** What carries a link, and what ends it. */
interface Below {
  readonly stream: LinkStream;
  close(): void;
}

function overMemory(serve: ServeLink): Below {
  const { near, far, cut } = memoryPair(eventLoopTick);
  serve({ ...context, stream: far, fault: (error) => HeddleError.from(error, "bench") });
  return { stream: near, close: cut };
}

async function overGrpc(serve: ServeLink): Promise<Below> {
  const server = createGrpcServer({
    services: [
      {
        desc: MessageInternalService,
        authenticate: insider,
        handlers: { link: linkListener(serve, clock, () => {}) },
        piecewise: new Set(),
      },
    ],
    context: {
      clock,
      log: createLog({ level: "silent" }),
      metrics: createRpcMetrics(createMetrics({ process: false })),
    },
    // As between programs: without the rules for clients.
    isInternal: true,
    maxMessageBytes: FRAME_BYTES,
  });
  const address = parseListenAddress("127.0.0.1:0");
  if (!address) throw new Error("no address");
  const port = await server.listen(address);
  const stream = dialGrpc(`127.0.0.1:${port}`, MessageInternalService.method.link, { clock });
  return { stream, close: () => server.close() };
}
