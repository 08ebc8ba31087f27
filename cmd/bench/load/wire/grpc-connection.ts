import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { framed, MessageSplitter } from "./grpc-framing.ts";

/** What a stream tells its owner. */
export interface StreamEvents {
  /** A message, without gRPC's five bytes. A view: good until the callback returns. */
  readonly onMessage: (bytes: Buffer) => void;
  /** Once, when it is over: undefined for status OK or an end of ours, else why. */
  readonly onEnd: (problem: string | undefined) => void;
}

/**
 * gRPC over one TCP connection on bare node:http2, for load generation only: measured at a third to half of grpc-js's
 * CPU per message, so that on few cores the server is what is seen. One DATA frame per message, as gRPC clients do.
 */
export class GrpcConnection {
  readonly #url: string;
  #session: ClientHttp2Session | undefined;
  readonly #streams = new Set<GrpcStream>();
  #problem: string | undefined;

  /** Dials with the first call; those made before the connection stands wait for it. */
  constructor(url: string) {
    this.#url = url;
  }

  /** Opens a stream. */
  stream(path: string, token: string, events: StreamEvents): GrpcStream {
    this.#session ??= this.#dial();
    const request = this.#session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${token}`,
    });
    const stream = new GrpcStream(request, events);
    this.#streams.add(stream);
    request.once("close", () => this.#streams.delete(stream));
    return stream;
  }

  /** A unary call. Rejects with the status in words, also after `timeoutMs`. */
  unary(path: string, token: string, request: Uint8Array, timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      const timer = setTimeout(() => stream.fail(`no answer in ${timeoutMs} ms`), timeoutMs);
      const stream = this.stream(path, token, {
        onMessage: (bytes) => {
          answer = Buffer.from(bytes);
        },
        onEnd: (problem) => {
          clearTimeout(timer);
          // The status comes last: an answer with a bad one is none.
          if (answer && problem === undefined) resolve(answer);
          else reject(new Error(`${path}: ${problem ?? "no answer"}`));
        },
      });
      stream.write(framed(request));
      stream.halfClose();
    });
  }

  /** Ends the connection and every stream on it, without a word to their owners. */
  close(): void {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
    this.#session?.destroy();
  }

  #dial(): ClientHttp2Session {
    const session = connect(this.#url);
    session.on("error", (error) => this.#fail(error.message));
    session.on("goaway", () => this.#fail("the server closed the connection"));
    session.on("close", () => this.#fail("the connection is closed"));
    return session;
  }

  /** The connection is of no use any more: every stream on it ends, with the first reason that was met. */
  #fail(problem: string): void {
    this.#problem ??= problem;
    for (const stream of [...this.#streams]) stream.fail(this.#problem);
  }
}

/** One gRPC stream. */
export class GrpcStream {
  readonly #request: ClientHttp2Stream;
  readonly #onEnd: (problem: string | undefined) => void;
  #isOver = false;
  #status = "ended without a status";

  constructor(request: ClientHttp2Stream, events: StreamEvents) {
    this.#request = request;
    this.#onEnd = events.onEnd;
    const splitter = new MessageSplitter(events.onMessage);
    request.on("data", (chunk: Buffer) => {
      if (!this.#isOver) splitter.push(chunk);
    });
    const note = (headers: Record<string, unknown>) => {
      const status = headers["grpc-status"];
      if (status !== undefined) this.#status = status === "0" ? "" : statusText(status, headers);
    };
    request.on("response", note);
    request.on("trailers", note);
    request.on("error", (error) => this.fail(error.message));
    request.on("close", () => this.#finish(this.#status || undefined));
  }

  /** Writes bytes that carry gRPC's five already. */
  write(framedBytes: Buffer): void {
    if (!this.#isOver) this.#request.write(framedBytes);
  }

  halfClose(): void {
    this.#request.end();
  }

  /** Ends it and tells the owner why. */
  fail(problem: string): void {
    this.#finish(problem);
    this.#request.destroy();
  }

  /** Ends it silently. */
  close(): void {
    this.#isOver = true;
    this.#request.destroy();
  }

  #finish(problem: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd(problem);
  }
}

function statusText(status: unknown, headers: Record<string, unknown>): string {
  const message = headers["grpc-message"];
  return `status ${status}: ${typeof message === "string" ? decodeURIComponent(message) : ""}`;
}
