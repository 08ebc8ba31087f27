import { ChatClient } from "./chat-client.ts";
import type { CrowdOptions } from "./crowd.ts";
import { Latencies } from "./latency.ts";

/** Clients that come, catch up, and go at once, each on a fresh TCP connection, `atOnce` of them at a time. */
export class ConnectLoad {
  readonly #latencies = new Latencies();
  #count = 0;
  #isRunning = false;
  #running: Promise<unknown> = Promise.resolve();
  #problem: unknown;

  start(options: CrowdOptions): void {
    this.#isRunning = true;
    let next = 0;
    const comeAndGo = async () => {
      while (this.#isRunning) {
        const user = options.users[next++ % options.users.length];
        if (user) await this.#once({ grpcUrl: options.grpcUrl, ...user });
      }
    };
    this.#running = Promise.all(Array.from({ length: options.atOnce }, comeAndGo)).catch((error) => {
      this.#problem = error;
    });
  }

  /** How many have caught up so far. Throws if one could not. */
  done(): number {
    if (this.#problem) throw this.#problem;
    return this.#count;
  }

  resetLatencies(): void {
    this.#latencies.reset();
  }

  /** From dialling to `caught_up`. */
  latencies(): string {
    return this.#latencies.encode();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#running;
    this.done();
  }

  async #once(options: { grpcUrl: string; userId: string; token: string }): Promise<void> {
    const startedMs = performance.now();
    const client = new ChatClient(options, { onTrouble: () => {} });
    try {
      await client.open();
      this.#latencies.add(performance.now() - startedMs);
      this.#count++;
    } finally {
      client.close();
    }
  }
}
