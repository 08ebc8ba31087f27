import { ECHO } from "./echo-path.ts";
import { GrpcConnection, type GrpcStream } from "./grpc-connection.ts";
import { framed } from "./grpc-framing.ts";
import { Latencies } from "./latency.ts";

export interface EchoOptions {
  readonly url: string;
  readonly connections: number;
  /** Frames that each connection keeps under way. */
  readonly inFlight: number;
  readonly frameBytes: number;
}

/** The same connections as the chat clients', with nothing in the frames but bytes to send back. */
export class EchoLoad {
  readonly #latencies = new Latencies();
  #frames = 0;
  #isRunning = false;
  #problem: string | undefined;

  start({ url, connections, inFlight, frameBytes }: EchoOptions): void {
    this.#isRunning = true;
    const frame = framed(new Uint8Array(frameBytes));
    for (let at = 0; at < connections; at++) this.#connect(url, inFlight, frame);
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

  stop(): void {
    this.#isRunning = false;
  }

  #connect(url: string, inFlight: number, frame: Buffer): void {
    const sentMs: number[] = [];
    const say = (stream: GrpcStream) => {
      sentMs.push(performance.now());
      stream.write(frame);
    };
    const stream: GrpcStream = new GrpcConnection(url).stream(ECHO, "", {
      onMessage: () => {
        this.#frames++;
        this.#latencies.add(performance.now() - (sentMs.shift() ?? 0));
        if (this.#isRunning) say(stream);
      },
      onEnd: (problem) => {
        this.#problem ??= `a stream ended: ${problem}`;
      },
    });
    for (let count = 0; count < inFlight; count++) say(stream);
  }
}
