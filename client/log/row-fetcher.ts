import { type Clock, sleep } from "../../internal/base/clock.ts";
import { ErrorReason } from "../../internal/base/heddle-error.ts";
import { fromHex } from "../../internal/base/ids.ts";
import { ThreadService } from "../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import { Backoff } from "../stream/backoff.ts";
import type { Calls } from "../stream/calls.ts";
import { asError } from "../transport/wire.ts";
import type { ThreadState } from "./thread-state.ts";
import type { Threads } from "./threads.ts";

/** A row may be on its way by the stream. */
const STRAGGLE_MS = 100;
/** Then sync brings it, or nothing does. */
const MOST_TRIES = 5;

/** Fetches the row of a thread whose entry came before it. */
export class RowFetcher {
  readonly #calls: Calls;
  readonly #threads: Threads;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** What is under way, by thread. */
  readonly #wanted = new Map<ThreadState, Promise<void>>();

  constructor(calls: Calls, threads: Threads, clock: Clock, random: () => number) {
    this.#calls = calls;
    this.#threads = threads;
    this.#clock = clock;
    this.#random = random;
  }

  /** Sees to it that the thread gets its row. */
  want(state: ThreadState): void {
    if (hasRow(state) || this.#wanted.has(state)) return;
    const fetched = new Promise<void>((resolve) => {
      this.#clock.after(STRAGGLE_MS, () => {
        void this.#fetch(state).finally(() => {
          this.#wanted.delete(state);
          resolve();
        });
      });
    });
    this.#wanted.set(state, fetched);
  }

  /** Resolves when the rows that are wanted now are here, or are not to be had. Never rejects. */
  async fetched(): Promise<void> {
    await Promise.all(this.#wanted.values());
  }

  async #fetch(state: ThreadState): Promise<void> {
    const backoff = new Backoff(this.#random);
    for (let tries = 0; tries < MOST_TRIES && !hasRow(state); tries++) {
      try {
        const request = { threadId: fromHex(state.threadId) };
        const { thread } = await this.#calls.call(ThreadService.method.getThread, request);
        if (thread && !hasRow(state)) this.#threads.takeRow(thread, false);
        return;
      } catch (thrown) {
        const error = asError(thrown);
        if (error.reason === ErrorReason.THREAD_NOT_FOUND) return;
        await sleep(this.#clock, backoff.nextDelayMs(error.retryAfterMs));
      }
    }
  }
}

/** Of a dropped thread the row is wanted anew. */
function hasRow(state: ThreadState): boolean {
  return state.row !== undefined && !state.isDropped;
}
