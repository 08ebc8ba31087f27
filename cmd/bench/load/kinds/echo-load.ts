import { Latencies } from "../counts/latency.ts";
import { type Pace, pace } from "../pace/pacer.ts";
import { GrpcConnection, type GrpcStream } from "../wire/grpc-connection.ts";
import { framed } from "../wire/grpc-framing.ts";
import { ECHO } from "./echo-path.ts";

/** The load of `floor-stream`: a stream on each connection, frames of one size. */
export interface EchoOptions {
  readonly url: string;
  readonly connections: number;
  readonly frameBytes: number;
}

/** One connection: its stream, and when each frame that has yet to come back was due. */
interface EchoLine {
  readonly stream: GrpcStream;
  readonly dueMs: number[];
}

/** The same connections as the chat clients', with nothing in the frames but bytes to send back. */
export class EchoLoad {
  readonly #latencies = new Latencies();
  readonly #lines: EchoLine[] = [];
  #frame = framed(new Uint8Array());
  #frames = 0;
  /** While there is sending. */
  #sending: AbortController | undefined;
  /** Every frame that comes back calls for the next: a closed window. */
  #isWindow = false;
  #problem: string | undefined;

  connect({ url, connections, frameBytes }: EchoOptions): void {
    this.#frame = framed(new Uint8Array(frameBytes));
    for (let at = 0; at < connections; at++) this.#connect(url);
  }

  /** Keeps so many frames of each connection under way, at full load, until `stop`. */
  startWindow(inFlight: number): void {
    this.#sending = new AbortController();
    this.#isWindow = true;
    for (const line of this.#lines) {
      for (let count = 0; count < inFlight; count++) this.#say(line, performance.now());
    }
  }

  /** Sends by a schedule, connection after connection, until its end or `stop`. */
  startRate(schedule: Pace): void {
    this.#sending = new AbortController();
    const say = (index: number, dueMs: number) => {
      const line = this.#lines[index % this.#lines.length];
      if (line) this.#say(line, dueMs);
    };
    void pace(schedule, say, this.#sending.signal);
  }

  /** Frames that came back so far. Throws if a stream ended. */
  done(): number {
    if (this.#problem !== undefined) throw new Error(this.#problem);
    return this.#frames;
  }

  resetLatencies(): void {
    this.#latencies.reset();
  }

  latencies(): string {
    return this.#latencies.encode();
  }

  /** Ends the sending; what is under way still comes back. */
  stop(): void {
    this.#sending?.abort();
    this.#sending = undefined;
    this.#isWindow = false;
  }

  #connect(url: string): void {
    const stream = new GrpcConnection(url).stream(ECHO, "", {
      onMessage: () => this.#echoed(line),
      onEnd: (problem) => {
        this.#problem ??= `a stream ended: ${problem}`;
      },
    });
    const line: EchoLine = { stream, dueMs: [] };
    this.#lines.push(line);
  }

  #say({ stream, dueMs }: EchoLine, atMs: number): void {
    dueMs.push(atMs);
    stream.write(this.#frame);
  }

  #echoed(line: EchoLine): void {
    const nowMs = performance.now();
    this.#frames++;
    // Echoes come back in order, so the oldest is the one that is back.
    this.#latencies.add(nowMs - (line.dueMs.shift() ?? 0));
    if (this.#isWindow) this.#say(line, nowMs);
  }
}
