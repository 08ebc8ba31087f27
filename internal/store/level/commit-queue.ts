import type { Clock } from "../../base/clock.ts";
import { overloaded, storeUnavailable } from "../../base/heddle-error.ts";
import type { StoreWatch } from "../store-watch.ts";
import { CommitPlan, type Write } from "./commit-plan.ts";
import type { HeadCache } from "./head-cache.ts";
import type { Level, LevelFolder } from "./level-folder.ts";
import { type LogMark, MARK_KEY } from "./log-mark.ts";

export interface CommitQueueInit {
  readonly folder: LevelFolder;
  readonly heads: HeadCache;
  /** Stands in each batch. */
  readonly mark: LogMark;
  readonly clock: Clock;
  /** Bytes that may wait or be under way; more is refused with RESOURCE_EXHAUSTED / OVERLOADED. */
  readonly maxQueuedBytes: number;
  /** Bytes of one LevelDB batch; a write that is larger goes alone. */
  readonly maxBatchBytes: number;
  /** Told of a batch that is stuck, and of its end; of one that fails the folder tells. */
  readonly watch?: StoreWatch | undefined;
}

/** Writes of one batch: at 5 µs each, about 10 ms of the event loop. Below the rows that HeadCache keeps. */
export const MAX_BATCH_WRITES = 2048;

/** When a batch counts as stuck, in ms. Its writes are then answered STORE_UNAVAILABLE, and may yet be applied. */
export const STALL_MS = 5_000;

/** When to try again after OVERLOADED, in ms: a few syncs. */
const RETRY_AFTER_MS = 100;

interface Pending {
  readonly write: Write;
  readonly bytes: number;
  readonly resolve: (applied: boolean) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Group commit: one synced batch at a time, and all that arrives while it syncs goes with the next one. The first
 * write of a quiet moment waits for the end of the event loop's turn, so that what came in together is synced together.
 */
export class CommitQueue {
  readonly #init: CommitQueueInit;
  #waiting: Pending[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;
  #stalled = false;
  #held = false;

  constructor(init: CommitQueueInit) {
    this.#init = init;
  }

  /** Whether the current batch, if there is one, moves. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Commits one write of about `bytes` bytes. Resolves once it is durable, or to false once it is known to be refused. */
  commit(write: Write, bytes: number): Promise<boolean> {
    const { folder, maxQueuedBytes } = this.#init;
    if (!folder.writable || this.#stalled) return Promise.reject(storeUnavailable("message"));
    if (this.#bytes + bytes > maxQueuedBytes && this.#bytes > 0) {
      return Promise.reject(overloaded("message store", RETRY_AFTER_MS));
    }
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, bytes, resolve, reject });
      if (!this.#held) this.#running ??= this.#run();
    });
  }

  /** Resolves when no batch is under way, to a call that lets them go on: until then writes wait. */
  async hold(): Promise<() => void> {
    this.#held = true;
    await this.#running;
    return () => {
      this.#held = false;
      if (this.#waiting.length > 0) this.#running ??= this.#run();
    };
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0 && !this.#held) await this.#commitGroup(this.#takeGroup());
    this.#running = undefined;
  }

  #takeGroup(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const pending of this.#waiting) {
      bytes += pending.bytes;
      if (count > 0 && (bytes > this.#init.maxBatchBytes || count === MAX_BATCH_WRITES)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #commitGroup(group: readonly Pending[]): Promise<void> {
    const { folder, heads, clock } = this.#init;
    const unwatch = clock.after(STALL_MS, () => this.#stall(group));
    try {
      const { db } = folder;
      const plan = await CommitPlan.make(
        db,
        heads,
        group.map((pending) => pending.write),
      );
      if (plan.operations.length > 0 || group.some(isNote)) await this.#write(db, plan);
      plan.applied();
      group.forEach((pending, at) => {
        pending.resolve(plan.outcomes[at] === true);
      });
    } catch (error) {
      rejectAll(group, error);
    } finally {
      unwatch();
      if (this.#stalled) this.#moves();
      for (const pending of group) this.#bytes -= pending.bytes;
    }
  }

  /** A failed write leaves unknown what the disk holds: nothing is cached, nothing more written until it was read again. */
  async #write(db: Level, plan: CommitPlan): Promise<void> {
    const { value, durable } = this.#init.mark.nextMark();
    plan.operations.push({ type: "put", key: MARK_KEY, value });
    try {
      await db.batch(plan.operations, { sync: true });
      durable();
    } catch (error) {
      this.#init.heads.clear();
      this.#init.folder.fail(error);
      this.#rejectWaiting(error);
      throw error;
    }
  }

  #stall(group: readonly Pending[]): void {
    this.#stalled = true;
    const error = new Error(`a batch of the message store has been under way for ${STALL_MS} ms`);
    this.#init.watch?.failed(error);
    rejectAll(group, error);
    this.#rejectWaiting(error);
  }

  #moves(): void {
    this.#stalled = false;
    if (this.#init.folder.writable) this.#init.watch?.recovered();
  }

  #rejectWaiting(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pending of waiting) this.#bytes -= pending.bytes;
    rejectAll(waiting, error);
  }
}

/** A write of no cells is made all the same: it writes the mark. */
function isNote({ write }: Pending): boolean {
  return !("row" in write) && write.length === 0;
}

function rejectAll(group: readonly Pending[], cause: unknown): void {
  for (const pending of group) pending.reject(storeUnavailable("message", cause));
}
