import type { Clock } from "../../base/clock.ts";
import type { ReadPosition, Threads } from "../ports.ts";

/** How often read positions are copied into thread rows, in ms (docs/design.md, section 5, Ordinal). */
const COPY_EVERY_MS = 60_000;
/** Positions that wait; beyond it they are copied at once. */
const MAX_WAITING = 20_000;

/**
 * Read positions on their way into thread rows, the highest per (owner, thread). The rows hold copies: losing one costs
 * an unread count until the client repeats its position at its next open.
 */
export class RowCopies {
  readonly #threads: Threads;
  readonly #clock: Clock;
  readonly #byOwner = new Map<string, Map<string, ReadPosition>>();
  #waiting = 0;
  #timed = false;

  constructor(threads: Threads, clock: Clock) {
    this.#threads = threads;
    this.#clock = clock;
  }

  /** Notes a position to be copied within a minute, unless a higher one waits. */
  notePosition(position: ReadPosition, threadKey: string): void {
    let mine = this.#byOwner.get(position.ownerId);
    if (!mine) {
      mine = new Map();
      this.#byOwner.set(position.ownerId, mine);
    }
    const before = mine.get(threadKey);
    if (!before) this.#waiting += 1;
    if (!before || before.readSeq < position.readSeq) mine.set(threadKey, position);
    if (this.#waiting > MAX_WAITING) void this.flushAll();
    else this.#later();
  }

  /** Copies one owner's positions now. Never rejects. */
  flush(ownerId: string): Promise<void> {
    const mine = this.#byOwner.get(ownerId);
    if (!mine) return Promise.resolve();
    this.#byOwner.delete(ownerId);
    this.#waiting -= mine.size;
    return this.#copy([...mine.values()]);
  }

  /** Copies all positions now. Never rejects. */
  flushAll(): Promise<void> {
    const all = [...this.#byOwner.values()].flatMap((mine) => [...mine.values()]);
    this.#byOwner.clear();
    this.#waiting = 0;
    return all.length > 0 ? this.#copy(all) : Promise.resolve();
  }

  async #copy(positions: readonly ReadPosition[]): Promise<void> {
    // Only copies: where the store is away they stay behind until the position moves again or the client repeats it.
    await this.#threads.raiseRead(positions).catch(() => {});
  }

  #later(): void {
    if (this.#timed) return;
    this.#timed = true;
    this.#clock.after(COPY_EVERY_MS, () => {
      this.#timed = false;
      void this.flushAll();
    });
  }
}
