import { systemClock } from "../../../base/clock.ts";
import { HeddleError } from "../../../base/heddle-error.ts";
import { createLog } from "../../../base/log.ts";
import { createMetrics } from "../../../base/metrics.ts";
import { ChannelInternalService } from "../../../gen/heddle/channel/v1/channel_internal_service_pb.js";
import type { ServeLink } from "../../../peers/link-listener.ts";
import type { ByteStream } from "../../../rpc/calls/byte-stream.ts";
import { insider } from "../../../rpc/calls/internal-services.ts";
import { createGrpcServer, type GrpcServer } from "../../../rpc/grpc/grpc-server.ts";
import { dialGrpc } from "../../../rpc/links/grpc-dialler.ts";
import type { LinkContext } from "../../../rpc/links/item-stream.ts";
import { FRAME_BYTES } from "../../../rpc/links/limits.ts";
import type { LinkStream } from "../../../rpc/links/link-stream.ts";
import { parseListenAddress } from "../../../rpc/listen-address.ts";
import { createRpcMetrics } from "../../../rpc/metrics.ts";

/** Servers that are dialled in turn: so many links may be on their way at a time. */
const SERVERS = 8;

/** Whatever is served: a link's bytes do not say which service's method opened it. */
const LINK = ChannelInternalService.method.link;

interface Listening {
  readonly server: GrpcServer;
  readonly port: number;
  /** What is to be served on the next stream that comes. */
  next: ((stream: ByteStream) => void) | undefined;
}

/**
 * Links over grpc-js on this machine, for a world whose loop a test turns: it knows what is on its way, so that a test
 * goes on when everything has arrived.
 */
export class GrpcLinks {
  readonly #listening: readonly Listening[];
  readonly #ways = new Set<Way>();
  #changed: (() => void)[] = [];

  private constructor(listening: readonly Listening[]) {
    this.#listening = listening;
  }

  static async start(): Promise<GrpcLinks> {
    return new GrpcLinks(await Promise.all(Array.from({ length: SERVERS }, listen)));
  }

  /** A link to what `serve` serves. */
  dial(context: LinkContext, serve: ServeLink): LinkStream {
    const free = this.#listening.find(({ next }) => !next);
    if (!free) throw new Error(`more than ${SERVERS} links are dialled at a time`);
    const way = new Way(() => this.#note());
    this.#ways.add(way);
    free.next = (stream) => {
      free.next = undefined;
      const far = way.far(stream);
      serve({ ...context, stream: far, fault: (error) => HeddleError.from(error, "linked") });
    };
    return way.near(dialGrpc(`127.0.0.1:${free.port}`, LINK, { clock: systemClock }));
  }

  /** Waits for the next thing that arrives, if any is on its way. False: nothing is. */
  async arrives(): Promise<boolean> {
    for (const way of this.#ways) if (way.isOver) this.#ways.delete(way);
    if (![...this.#ways].some((way) => way.isBusy)) return false;
    await new Promise<void>((resolve) => this.#changed.push(resolve));
    return true;
  }

  /** Ends every link. */
  cut(): void {
    for (const way of this.#ways) way.cut();
    this.#ways.clear();
  }

  close(): void {
    for (const { server } of this.#listening) server.close();
  }

  /** Something has changed: who waits for arrivals looks again. */
  #note(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

/** A listener that hands its next stream to the link that is being dialled. */
async function listen(): Promise<Listening> {
  const context = {
    clock: systemClock,
    log: createLog({ level: "silent" }),
    metrics: createRpcMetrics(createMetrics({ process: false })),
  };
  const link = (stream: ByteStream) => (listening.next ? listening.next(stream) : stream.end());
  const server = createGrpcServer({
    services: [
      { desc: ChannelInternalService, authenticate: insider, handlers: { link }, piecewise: new Set() },
    ],
    context,
    isInternal: true,
    maxMessageBytes: FRAME_BYTES,
  });
  const address = parseListenAddress("127.0.0.1:0");
  if (!address) throw new Error("no address");
  const listening: Listening = { server, port: await server.listen(address), next: undefined };
  return listening;
}

/** What one half has sent and received, and where it stands. */
interface Half {
  stream: LinkStream | undefined;
  sent: number;
  received: number;
  isPaused: boolean;
  isClosed: boolean;
}

/** A link from end to end. */
class Way {
  readonly #note: () => void;
  readonly #near = half();
  readonly #far = half();
  #isEnding = false;

  constructor(note: () => void) {
    this.#note = note;
  }

  get isOver(): boolean {
    return this.#near.isClosed && this.#far.isClosed;
  }

  /** Whether something will still arrive without anybody's doing. */
  get isBusy(): boolean {
    const [near, far] = [this.#near, this.#far];
    if (this.isOver) return false;
    if (!far.stream || this.#isEnding || near.isClosed || far.isClosed) return true;
    return (near.sent > far.received && !far.isPaused) || (far.sent > near.received && !near.isPaused);
  }

  /** The half that dials. */
  near(stream: LinkStream): LinkStream {
    return this.#watched(this.#near, stream);
  }

  /** The half that listens, once the stream has arrived there. */
  far(stream: LinkStream): LinkStream {
    const watched = this.#watched(this.#far, stream);
    this.#note();
    return watched;
  }

  cut(): void {
    this.#near.stream?.end();
  }

  /** The stream as it is, but for its messages being counted on both sides. */
  #watched(of: Half, stream: LinkStream): LinkStream {
    of.stream = stream;
    stream.onClose(() => {
      of.isClosed = true;
      this.#note();
    });
    return {
      write: (bytes) => {
        of.sent++;
        return stream.write(bytes);
      },
      get bufferedBytes() {
        return stream.bufferedBytes;
      },
      onDrain: (callback) => stream.onDrain(callback),
      onMessage: (callback) =>
        stream.onMessage((bytes) => {
          of.received++;
          callback(bytes);
          this.#note();
        }),
      pause: () => {
        of.isPaused = true;
        stream.pause();
      },
      resume: () => {
        of.isPaused = false;
        stream.resume();
      },
      onHalfClose: (callback) => stream.onHalfClose(callback),
      onClose: (callback) => stream.onClose(callback),
      end: (...how) => {
        this.#isEnding = true;
        stream.end(...how);
      },
    };
  }
}

function half(): Half {
  return { stream: undefined, sent: 0, received: 0, isPaused: false, isClosed: false };
}
