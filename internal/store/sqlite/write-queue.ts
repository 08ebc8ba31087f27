import type { Clock } from "../../base/clock.ts";
import { overloaded, storeUnavailable } from "../../base/heddle-error.ts";
import type { Tick } from "../../stream/each-tick.ts";
import type { StoreWatch } from "../store-watch.ts";
import type { Eras } from "./eras.ts";
import { isDiskFull, isSqliteError, type SqliteFile } from "./sqlite-file.ts";

export interface WriteQueueInit {
  readonly file: SqliteFile;
  /** Whose mark each transaction raises. */
  readonly eras: Pick<Eras, "raise" | "committed" | "begin">;
  readonly clock: Clock;
  readonly watch?: StoreWatch | undefined;
  /** When what waits is committed: at the end of the event loop's turn, or as a test says. */
  readonly tick: Tick;
  /** Bytes that may wait; more is refused with RESOURCE_EXHAUSTED / OVERLOADED. */
  readonly maxQueuedBytes: number;
}

/** Writes of one transaction: at up to 50 µs each, about 10 ms of the event loop, to which the sync adds its own. */
const MAX_GROUP = 200;

/** How long after a failure, and after each vain try, to look whether the disk is well again, in ms. */
const RETRY_MS = 500;

/** When to try again after OVERLOADED, in ms. */
const RETRY_AFTER_MS = 200;

interface Pending {
  readonly work: () => unknown;
  readonly bytes: number;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  result?: unknown;
}

/**
 * Group commit for SQLite: writes that arrive within one turn of the event loop share a transaction and so its sync,
 * which costs a hundred times the rest and holds up the event loop. Each is answered after the commit.
 * When a commit fails, all of its writes reject with STORE_UNAVAILABLE, and a write that changes nothing is tried
 * until one succeeds, on the file opened again unless the disk was merely full. Meanwhile writes are still tried.
 */
export class WriteQueue {
  readonly #init: WriteQueueInit;
  #waiting: Pending[] = [];
  #bytes = 0;
  #failed = false;
  #closed = false;
  #held = false;

  constructor(init: WriteQueueInit) {
    this.#init = init;
  }

  /** Whether the last write succeeded. */
  get ready(): boolean {
    return !this.#failed && !this.#closed;
  }

  /** Does `work`, which must be synchronous, in a transaction, and resolves to its result once that is durable. */
  write<T>(bytes: number, work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(storeUnavailable("thread"));
    if (this.#bytes + bytes > this.#init.maxQueuedBytes && this.#bytes > 0) {
      return Promise.reject(overloaded("thread store", RETRY_AFTER_MS));
    }
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ work, bytes, resolve, reject }) === 1) this.#init.tick(() => this.#flush());
    });
  }

  /** From now on writes wait, until the call that this returns. */
  hold(): () => void {
    this.#held = true;
    return () => {
      if (!this.#held) return;
      this.#held = false;
      if (this.#waiting.length > 0) this.#init.tick(() => this.#flush());
    };
  }

  /** Commits what waits; later writes reject. */
  close(): void {
    this.#closed = true;
    this.#held = false;
    while (this.#waiting.length > 0) this.#flush();
  }

  #flush(): void {
    if (this.#held) return;
    const group = this.#waiting.splice(0, MAX_GROUP);
    if (this.#waiting.length > 0 && !this.#closed) this.#init.tick(() => this.#flush());
    for (const pending of group) this.#bytes -= pending.bytes;
    if (group.length > 0) this.#commit(group);
  }

  #commit(group: readonly Pending[]): void {
    const { file, eras } = this.#init;
    let current: Pending | undefined;
    try {
      const state = file.transaction(() => {
        for (current of group) current.result = current.work();
        current = undefined;
        return eras.raise();
      });
      eras.committed(state);
    } catch (error) {
      const culprit = isSqliteError(error) ? undefined : current;
      if (culprit) this.#commitWithout(culprit, error, group);
      else this.#fail(group, error);
      return;
    }
    this.#recovered();
    for (const pending of group) pending.resolve(pending.result as never);
  }

  /** One write has a fault of its own: the others are done without it. */
  #commitWithout(culprit: Pending, error: unknown, group: readonly Pending[]): void {
    culprit.reject(error);
    const rest = group.filter((pending) => pending !== culprit);
    if (rest.length > 0) this.#commit(rest);
  }

  #fail(group: readonly Pending[], error: unknown): void {
    for (const pending of group) pending.reject(storeUnavailable("thread", error));
    if (this.#failed) return;
    this.#failed = true;
    this.#init.watch?.failed(error);
    this.#retryLater();
  }

  #retryLater(): void {
    this.#init.clock.after(RETRY_MS, () => {
      if (!this.#failed || this.#closed) return;
      if (this.#serves()) this.#recovered();
      else this.#retryLater();
    });
  }

  #serves(): boolean {
    const { file, eras } = this.#init;
    try {
      file.probe();
      return true;
    } catch (error) {
      if (isDiskFull(error)) return false; // Still open, so that reads go on.
    }
    try {
      file.reopen();
      eras.begin(); // What the disk holds of the last writes is not known.
      return true;
    } catch {
      return false; // `failed` was told why.
    }
  }

  #recovered(): void {
    if (!this.#failed) return;
    this.#failed = false;
    this.#init.watch?.recovered();
  }
}
