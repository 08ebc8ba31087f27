import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Addresses, HeddleProcess } from "./heddle-process.ts";

/** Heddle in a process of its own, for the tests of one suite and the clients that they open. */
export class RealServer {
  /** Closed after each test. */
  readonly clients = new Set<{ close(): Promise<void> }>();
  #folder = "";
  #heddle: HeddleProcess | undefined;
  #alive: NodeJS.Timeout | undefined;

  /**
   * Starts Heddle before the tests of the suite in which this is made, and stops it after the last. Timers of clients
   * keep no process alive while all of them wait for the server, so one that does runs meanwhile: not from when the
   * file is loaded, or a run that leaves the suite out would never end.
   */
  constructor() {
    before(async () => {
      this.#alive = setInterval(() => {}, 1_000);
      this.#folder = await mkdtemp(join(tmpdir(), "heddle-real-server-"));
      this.#heddle = await HeddleProcess.start(this.#dataDir);
    });
    afterEach(async () => {
      await Promise.all([...this.clients].map((client) => client.close()));
      this.clients.clear();
    });
    after(async () => {
      clearInterval(this.#alive);
      await this.stop();
      await rm(this.#folder, { recursive: true, force: true });
    });
  }

  /** The same after each start. */
  get addresses(): Addresses {
    if (!this.#heddle) throw new Error("Heddle is started before the first test, not before");
    return this.#heddle.addresses;
  }

  /** A folder for a client's state, which outlives its tests and not the suite. */
  stateOf(userId: string): string {
    return join(this.#folder, "state", userId);
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.#heddle?.stop(signal);
  }

  /** Starts it again on the same ports and data. */
  async startAgain(): Promise<void> {
    this.#heddle = await HeddleProcess.start(this.#dataDir, { again: this.addresses });
  }

  get #dataDir(): string {
    return join(this.#folder, "data");
  }
}
