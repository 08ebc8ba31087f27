import type { Clock } from "../../internal/base/clock.ts";
import { bodyLength } from "../model/body-length.ts";
import type { Entry } from "../model/model.ts";
import type { Change, Json, Storage } from "./storage.ts";

/** How long changes are gathered before they are written. */
const GATHER_MS = 50;
/** After a write that failed: the first wait, which doubles, and the longest. */
const FIRST_AGAIN_MS = 1_000;
const LAST_AGAIN_MS = 60_000;
/** Entries kept for a start without a network, and the length of their texts; the oldest written go first. */
const KEPT_ENTRIES = 5_000;
const KEPT_CHARACTERS = 4 * 1024 * 1024;

/**
 * Writes what may be lost for a moment: what is held of each thread, and the cursor. All that is dirty goes as one
 * change, one change at a time, and stays dirty until its write is confirmed, so a cursor is never kept without the
 * heads that came before it (docs/design.md, section 6). A storage that takes nothing is asked again and again.
 */
export class Keeper {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #onFault: (fault: unknown) => void;
  /** What no write has confirmed and no write under way holds, by key. */
  #dirty = new Map<string, () => Json | undefined>();
  /** The length of each kept entry's text, by key. */
  readonly #entries = new Map<string, number>();
  /** Keys of entries that the storage has, or may have: one that was let go and is not among them needs no removal. */
  readonly #stored = new Set<string>();
  #characters = 0;
  #cancel: (() => void) | undefined;
  #failures = 0;
  #isClosed = false;
  /** The writes so far. */
  #last: Promise<void> = Promise.resolve();

  constructor(storage: Storage, clock: Clock, onFault: (fault: unknown) => void) {
    this.#storage = storage;
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** Notes that a key changed; its value is read when it is written. */
  mark(key: string, value: () => Json | undefined): void {
    this.#dirty.set(key, value);
    if (!this.#isClosed) this.#cancel ??= this.#clock.after(GATHER_MS, () => void this.flush());
  }

  /** Keeps an entry for the next start, and lets the oldest go. */
  keepEntry(entry: Entry): void {
    const key = entryKey(entry);
    if (this.#entries.has(key)) return;
    this.#count(key, entry);
    this.mark(key, () => entry as unknown as Json);
    while (this.#entries.size > KEPT_ENTRIES || this.#characters > KEPT_CHARACTERS) {
      const [oldest = ["", 0] as const] = this.#entries;
      this.#letGo(...oldest);
    }
  }

  /** Lets all entries of a thread go. */
  dropEntries(threadId: string): void {
    for (const [key, length] of this.#entries)
      if (key.startsWith(`entry/${threadId}/`)) this.#letGo(key, length);
  }

  /** Notes an entry that the storage has already. */
  knowEntry(key: string, entry: Entry): void {
    this.#stored.add(key);
    this.#count(key, entry);
  }

  /** Writes everything dirty for the last time. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
  }

  /** Writes everything dirty, after what is being written. Never rejects; what cannot be written is tried again. */
  flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#last = this.#last.then(() => this.#write());
    return this.#last;
  }

  async #write(): Promise<void> {
    if (this.#dirty.size === 0) return;
    const taken = this.#dirty;
    this.#dirty = new Map();
    const changes: Change[] = [...taken].map(([key, value]) => ({ key, value: value() }));
    const fresh = changes.filter(
      ({ key, value }) => isEntry(key) && value !== undefined && !this.#stored.has(key),
    );
    for (const { key } of fresh) this.#stored.add(key);
    try {
      await this.#storage.write(changes);
      this.#failures = 0;
      for (const { key, value } of changes) if (value === undefined) this.#stored.delete(key);
    } catch (fault) {
      // What has changed since is newer.
      this.#dirty = new Map([...taken, ...this.#dirty]);
      for (const { key } of fresh) {
        this.#stored.delete(key);
        if (!this.#entries.has(key)) this.#dirty.delete(key);
      }
      this.#onFault(fault);
      this.#cancel?.();
      if (this.#isClosed) return;
      const waitMs = Math.min(LAST_AGAIN_MS, FIRST_AGAIN_MS * 2 ** this.#failures);
      this.#failures += 1;
      this.#cancel = this.#clock.after(waitMs, () => void this.flush());
    }
  }

  #letGo(key: string, length: number): void {
    this.#entries.delete(key);
    this.#characters -= length;
    if (this.#stored.has(key)) this.mark(key, () => undefined);
    else this.#dirty.delete(key);
  }

  #count(key: string, { body }: Entry): void {
    const length = bodyLength(body);
    this.#entries.set(key, length);
    this.#characters += length;
  }
}

function isEntry(key: string): boolean {
  return key.startsWith("entry/");
}

/** Keys sort by thread and seq. */
function entryKey(entry: Entry): string {
  return `entry/${entry.threadId}/${String(entry.seq).padStart(16, "0")}`;
}
