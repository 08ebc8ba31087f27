import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Percentiles } from "../load/counts/latency.ts";
import type { Pace } from "../load/pace/pacer.ts";
import { type Answer, CPU_SECONDS } from "../load/protocol.ts";
import type { SignedIn } from "../server/server-process.ts";
import { LoadCalls } from "./load-calls.ts";

/** What became of its sends: each came to so many clients. */
export interface GoCounts {
  readonly sent: number;
  readonly accepted: number;
  readonly arrived: number;
}

/**
 * The load in Go (go-load/), in a process of its own: grpc-go as others use it, a TCP connection a client. It judges
 * what comes: every seq once and none missing, each sender's messages in the order in which they were sent.
 */
export class GoLoadProcess {
  readonly #child: ChildProcess;
  /** Asks and answers are lines of JSON on its standard streams: no port, and nothing to clean up. */
  readonly #calls: LoadCalls;

  constructor(binary: string) {
    this.#child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
    this.#calls = new LoadCalls((ask) => this.#child.stdin?.write(`${JSON.stringify(ask)}\n`));
    this.#child.on("error", (error) => this.#calls.end(error.message));
    this.#child.on("exit", (code, signal) => this.#calls.end(`the load in Go ended with ${code ?? signal}`));
    this.#child.stdin?.on("error", () => {}); // Its exit is told.
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => this.#calls.answer(JSON.parse(line) as Answer));
  }

  /** Connects more users, `atOnce` at a time. */
  async connect(options: {
    /** As a gRPC URL. */
    readonly grpcUrl: string;
    readonly users: readonly SignedIn[];
    readonly atOnce: number;
  }): Promise<void> {
    const { grpcUrl, users, atOnce } = options;
    await this.#calls.ask("connect", [{ address: new URL(grpcUrl).host, users, atOnce }]);
  }

  /** Makes a direct thread of each two neighbours, in the order in which they were connected. */
  async pair(textBytes: number): Promise<void> {
    await this.#calls.ask("pair", [{ textBytes }]);
  }

  /** Keeps so many sends of each client under way, at full load, until `stop`. */
  async startWindow(inFlight: number): Promise<void> {
    await this.#calls.ask("startWindow", [inFlight]);
  }

  /** Posts to a group of all who are connected, by a schedule, so many of them in turn. */
  async startRate(
    options: Pace & {
      readonly threadId: Uint8Array;
      readonly posters: number;
      readonly textBytes: number;
    },
  ): Promise<void> {
    const threadId = Buffer.from(options.threadId).toString("hex");
    await this.#calls.ask("startRate", [{ ...options, threadId }]);
  }

  /** Entries that have come to clients so far. Rejects if anything went wrong. */
  async done(): Promise<number> {
    return (await this.#calls.ask("done", [])) as number;
  }

  /** Forgets the latencies so far: what was warm-up. */
  async resetLatencies(): Promise<void> {
    await this.#calls.ask("resetLatencies", []);
  }

  /** To `accepted` at the sender, and to the entry at each who gets it. */
  async latencies(): Promise<{ readonly accepted: Percentiles; readonly arrived: Percentiles }> {
    return (await this.#calls.ask("latencies", [])) as { accepted: Percentiles; arrived: Percentiles };
  }

  /** Stops sending; resolves when everything has come to everybody. Rejects if that fails, or anything went wrong. */
  async stop(): Promise<GoCounts> {
    return (await this.#calls.ask("stop", [])) as GoCounts;
  }

  /** User plus system time of its process so far, in seconds. */
  async cpuSeconds(): Promise<number> {
    return (await this.#calls.ask(CPU_SECONDS, [])) as number;
  }

  /** Ends the process. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
