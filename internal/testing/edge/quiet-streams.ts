import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";

interface Edge {
  readonly url: string;
  readonly ca: Buffer;
}

/** A message of gRPC with nothing in it. */
const EMPTY_MESSAGE = Buffer.alloc(5);

/** A Connect by gRPC on bare HTTP/2, as little as a client can be: it counts bytes. */
export class QuietStream {
  bytes = 0;
  /** How it ended, if it did. */
  ended: string | undefined;
  readonly #stream: ClientHttp2Stream;
  readonly #session: ClientHttp2Session;
  #waiting: (() => void) | undefined;

  private constructor(session: ClientHttp2Session, ticket: string) {
    this.#session = session;
    this.#stream = session.request({
      ":method": "POST",
      ":path": "/heddle.push.v1.PushService/Connect",
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${ticket}`,
    });
    this.#stream.write(EMPTY_MESSAGE);
    this.#stream.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.#waiting?.();
    });
    this.#stream.on("error", () => {});
    this.#stream.on("trailers", (trailers) => this.#end(`status ${trailers["grpc-status"]}`));
    this.#stream.on("close", () => this.#end(`reset ${this.#stream.rstCode}`));
  }

  /** On a connection of its own, or on the given one. Resolves when its first message has come. */
  static async open(edge: Edge, ticket: string, session?: ClientHttp2Session): Promise<QuietStream> {
    const opened = new QuietStream(session ?? (await dial(edge)), ticket);
    await opened.received(1);
    return opened;
  }

  /** Takes not a byte more: flow control holds who writes. */
  pause(): void {
    this.#stream.pause();
  }

  /** Resolves when so many bytes have come since it was opened. Rejects if it ends before. */
  async received(bytes: number): Promise<void> {
    while (this.bytes < bytes) {
      if (this.ended !== undefined) throw new Error(`the stream ended: ${this.ended}`);
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  /** Ends it, and its connection. */
  close(): void {
    this.#session.destroy();
  }

  #end(how: string): void {
    this.ended ??= how;
    this.#waiting?.();
  }
}

/** Many of them. */
export class QuietStreams {
  readonly #streams: readonly QuietStream[];
  readonly #heard: readonly number[];

  private constructor(streams: readonly QuietStream[]) {
    this.#streams = streams;
    this.#heard = streams.map(({ bytes }) => bytes);
  }

  /** `count` on `connections`, with the tickets in turn. Resolves when all have opened. */
  static async open(
    edge: Edge,
    tickets: readonly string[],
    count: number,
    connections: number,
  ): Promise<QuietStreams> {
    const sessions = await Promise.all(Array.from({ length: connections }, () => dial(edge)));
    const streams: QuietStream[] = [];
    while (streams.length < count) {
      const next = Array.from({ length: Math.min(100, count - streams.length) }, (_, at) => {
        const number = streams.length + at;
        return QuietStream.open(edge, tickets[number % tickets.length] ?? "", sessions[number % connections]);
      });
      streams.push(...(await Promise.all(next)));
    }
    return new QuietStreams(streams);
  }

  /** How those that have ended did. */
  get ended(): string[] {
    return this.#streams.flatMap(({ ended }) => ended ?? []);
  }

  /** Resolves when each has heard more than when it opened. */
  async heard(): Promise<void> {
    await Promise.all(this.#streams.map((stream, at) => stream.received((this.#heard[at] ?? 0) + 1)));
  }

  close(): void {
    for (const stream of this.#streams) stream.close();
  }
}

async function dial(edge: Edge): Promise<ClientHttp2Session> {
  const session = connect(edge.url, { ca: edge.ca });
  session.on("error", () => {});
  await once(session, "connect");
  return session;
}
