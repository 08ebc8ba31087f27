import type { Clock } from "../../base/clock.ts";
import { Code, HeddleError } from "../../base/heddle-error.ts";
import type { Thread } from "../../gen/heddle/thread/v1/thread_pb.js";
import { threadChangedFrame } from "../../wire/event-frames.ts";
import type { CallGate } from "../call-gate.ts";
import { SYNC_MS, SYNC_RETRY_MAX_MS, SYNC_RETRY_MS } from "../limits.ts";
import type { SyncPage, Threads } from "../ports.ts";
import { caughtUpFrame } from "./events.ts";
import type { SessionQueue } from "./session-queue.ts";

/** What a backfill works with. */
export interface BackfillInit {
  readonly clock: Clock;
  readonly threads: Threads;
  readonly gate: CallGate;
  readonly queue: SessionQueue;
  readonly userId: string;
  /** Where to start: what the client last stored. */
  readonly cursor: Uint8Array;
  /** A page has come, or `failure` is set: pump. */
  readonly onProgress: () => void;
}

/** Errors that trying again does not cure: the cursor is not ours, or the user may not. */
const FINAL: ReadonlySet<Code> = new Set([
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.PERMISSION_DENIED,
  Code.UNAUTHENTICATED,
]);

const FIRST_PAGE = new Uint8Array(0);

/**
 * What a backfill is at. `waiting`: in line for the gate. `calling`: a page is asked for. `resting`: the page failed
 * and is asked for again later. `emitting`: a page is here, its rows go into the queue. `over`: done, failed, stopped.
 */
type State = "waiting" | "calling" | "resting" | "emitting" | "over";

/**
 * Sync since a cursor, as events: one `thread_changed` per row, the oldest change first, then `caught_up` with the new
 * cursor (docs/design.md, section 7). Rows are encoded only when the queue has credit and room for them, and the next
 * page is asked for only when the last one is out, so a client that does not read costs one page, not its history.
 * A page that fails or takes longer than SYNC_MS is asked for again, less and less often.
 */
export class Backfill {
  readonly #init: BackfillInit;
  #state: State = "waiting";
  #rows: readonly Thread[] = [];
  #at = 0;
  /** The next event, encoded, for which there was no room yet. */
  #next: Uint8Array | undefined;
  #pageToken: Uint8Array = FIRST_PAGE;
  /** From the last page. */
  #cursor: Uint8Array | undefined;
  #isDone = false;
  #failure: HeddleError | undefined;
  #failures = 0;
  /** Counts calls, so that the answer to one that was given up on is ignored. */
  #calls = 0;
  #sinceMs = 0;
  #restMs = 0;

  constructor(init: BackfillInit) {
    this.#init = init;
    init.gate.enter(this);
  }

  /** The cursor that `caught_up` said, once that is in the queue. */
  get caughtUpAt(): Uint8Array | undefined {
    return this.#isDone ? this.#cursor : undefined;
  }

  /** Why it can never be done, if that is so. */
  get failure(): HeddleError | undefined {
    return this.#failure;
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  /** The session is over. */
  stop(): void {
    const wasCalling = this.#state === "calling";
    this.#state = "over";
    this.#rows = [];
    if (wasCalling) this.#init.gate.done();
  }

  /** Queues what there is room for. To be called whenever there may be more room. */
  pump(): void {
    if (this.#state !== "emitting") return;
    for (;;) {
      this.#next ??= this.#encodeNext();
      if (!this.#next) break;
      if (!this.#init.queue.offer(this.#next)) return;
      this.#next = undefined;
    }
    this.#rows = [];
    this.#isDone = this.#cursor !== undefined;
    this.#state = this.#isDone ? "over" : "waiting";
    if (!this.#isDone) this.#init.gate.enter(this);
  }

  /** Looks after the deadline of a page and the rest before the next try. Monotonic ms. */
  sweep(nowMs: number): void {
    if (this.#state === "calling" && nowMs - this.#sinceMs >= SYNC_MS) {
      this.#calls++;
      this.#init.gate.done();
      this.#rest(0);
    }
    if (this.#state === "resting" && nowMs - this.#sinceMs >= this.#restMs) {
      this.#state = "waiting";
      this.#init.gate.enter(this);
    }
  }

  /** For the gate: it is this backfill's turn. */
  callNow(): void {
    const { threads, userId, cursor, clock } = this.#init;
    const call = ++this.#calls;
    this.#state = "calling";
    this.#sinceMs = clock.monotonicMs();
    threads.sync(userId, cursor, this.#pageToken).then(
      (page) => this.#answered(call, () => this.#take(page)),
      (error) => this.#answered(call, () => this.#fail(error)),
    );
  }

  #answered(call: number, act: () => void): void {
    if (this.#state !== "calling" || call !== this.#calls) return;
    this.#init.gate.done();
    act();
  }

  #take(page: SyncPage): void {
    this.#state = "emitting";
    this.#failures = 0;
    this.#rows = page.threads;
    this.#at = 0;
    this.#pageToken = page.nextPageToken;
    if (page.nextPageToken.length === 0) this.#cursor = page.cursor;
    this.#init.onProgress();
  }

  #fail(error: unknown): void {
    if (!(error instanceof HeddleError) || !FINAL.has(error.code)) {
      this.#rest(error instanceof HeddleError ? error.retryAfterMs : 0);
      return;
    }
    this.#failure = error;
    this.#state = "over";
    this.#init.onProgress();
  }

  #rest(askedMs: number): void {
    const doubledMs = Math.min(SYNC_RETRY_MAX_MS, SYNC_RETRY_MS * 2 ** this.#failures++);
    this.#state = "resting";
    this.#sinceMs = this.#init.clock.monotonicMs();
    this.#restMs = Math.max(askedMs, doubledMs);
  }

  #encodeNext(): Uint8Array | undefined {
    const row = this.#rows[this.#at];
    if (!row && (this.#at > this.#rows.length || !this.#cursor)) return undefined;
    this.#at++;
    return row ? threadChangedFrame(row) : caughtUpFrame(this.#cursor ?? FIRST_PAGE);
  }
}
