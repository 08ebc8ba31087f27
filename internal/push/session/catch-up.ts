import type { HeddleError } from "../../base/heddle-error.ts";
import { ownBytes } from "../../base/own-bytes.ts";
import { Backfill, type BackfillInit } from "./backfill.ts";

const FROM_THE_START = new Uint8Array(0);

/**
 * How a session stays complete: one Sync after the other, never two at once, each since the cursor of the last
 * `caught_up`. The first is the backfill; later ones compare, because events may have been missed.
 */
export class CatchUp {
  readonly #init: Omit<BackfillInit, "cursor">;
  #cursor: Uint8Array = FROM_THE_START;
  #running: Backfill | undefined;
  #isDueAgain = false;

  constructor(init: Omit<BackfillInit, "cursor">) {
    this.#init = init;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** The client's own cursor, before the first run. */
  startFrom(cursor: Uint8Array): void {
    this.#cursor = ownBytes(cursor);
  }

  /** Runs, or runs once more after the one that is running: that one's snapshot may be too old. */
  run(): void {
    if (this.#running) this.#isDueAgain = true;
    else this.#running = new Backfill({ ...this.#init, cursor: this.#cursor });
  }

  /** Queues what there is room for. "done" when `caught_up` has just been queued; an error when it can never be. */
  pump(): "done" | "going on" | HeddleError {
    const running = this.#running;
    if (!running) return "going on";
    running.pump();
    if (running.failure) return running.failure;
    if (!running.caughtUpAt) return "going on";
    this.#cursor = running.caughtUpAt;
    this.#running = undefined;
    if (this.#isDueAgain) {
      this.#isDueAgain = false;
      this.run();
    }
    return "done";
  }

  /** Looks after deadlines. Monotonic ms. */
  sweep(nowMs: number): void {
    this.#running?.sweep(nowMs);
  }

  stop(): void {
    this.#running?.stop();
  }
}
