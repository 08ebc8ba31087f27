import type { Clock } from "../../internal/base/clock.ts";
import { ErrorReason } from "../../internal/base/heddle-error.ts";
import { type SyncResponse, ThreadService } from "../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import { Backoff } from "../stream/backoff.ts";
import type { Calls } from "../stream/calls.ts";
import { asError } from "../transport/wire.ts";
import type { Cursor } from "./cursor.ts";
import type { Threads } from "./threads.ts";

/** How often, on average: the bound of any hole nobody noticed (docs/design.md, section 6). */
const EVERY_MS = 600_000;

export interface SyncDeps {
  readonly calls: Calls;
  readonly threads: Threads;
  readonly cursor: Cursor;
  readonly onLogEpoch: (logEpoch: number) => void;
  /** A sync has ended well. */
  readonly onSynced: () => void;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Compares with the server: every ten minutes, when the person comes back, and when events were dropped. */
export class Sync {
  readonly #deps: SyncDeps;
  readonly #backoff: Backoff;
  #isOpen = false;
  #isWanted = false;
  #isRunning = false;
  #cancel = () => {};

  constructor(deps: SyncDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff(deps.random);
  }

  /** Says whether the stream is caught up: before that the backfill does the same work. */
  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    if (!isOpen) this.#cancel();
    else if (this.#isWanted) this.want();
    else this.#schedule(EVERY_MS * (0.8 + 0.4 * this.#deps.random()));
  }

  /** Syncs now, or as soon as the stream is caught up. */
  want(): void {
    this.#isWanted = true;
    if (!this.#isOpen || this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    this.#isWanted = false;
    try {
      await this.#pages();
      this.#isRunning = false;
      this.#backoff.reset();
      this.#deps.onSynced();
      if (this.#isOpen) this.#schedule(this.#isWanted ? 0 : EVERY_MS * (0.8 + 0.4 * this.#deps.random()));
    } catch (thrown) {
      const error = asError(thrown);
      this.#isRunning = false;
      this.#isWanted = true;
      if (error.reason === ErrorReason.TOKEN_MALFORMED) this.#deps.cursor.drop();
      if (this.#isOpen) this.#schedule(this.#backoff.nextDelayMs(error.retryAfterMs));
    }
  }

  async #pages(): Promise<void> {
    const { calls, threads, cursor } = this.#deps;
    const { bytes, isFirst } = cursor;
    let page: SyncResponse | undefined;
    do {
      const pageToken = page?.nextPageToken ?? new Uint8Array();
      page = await calls.call(ThreadService.method.sync, { cursor: bytes, pageToken });
      this.#deps.onLogEpoch(Number(page.logEpoch));
      for (const thread of page.threads) threads.takeRow(thread, isFirst);
    } while (page.nextPageToken.length > 0);
    cursor.set(page.cursor);
  }

  #schedule(ms: number): void {
    this.#cancel();
    this.#cancel = this.#deps.clock.after(ms, () => this.want());
  }
}
