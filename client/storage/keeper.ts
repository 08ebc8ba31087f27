import type { Clock } from "../../internal/base/clock.ts";
import { bodyLength } from "../model/body-length.ts";
import type { Entry } from "../model/model.ts";
import type { Change, Json, Storage } from "./storage.ts";

/** How long changes are gathered before they are written. */
const GATHER_MS = 50;
/** Entries kept for a start without a network, and the length of their texts; the oldest written go first. */
const KEPT_ENTRIES = 5_000;
const KEPT_CHARACTERS = 4 * 1024 * 1024;

/**
 * Writes what may be lost for a moment: what is held of each thread, and the cursor. All that is dirty goes as one
 * change, so a cursor is never kept without the heads that came before it (docs/design.md, section 6).
 */
export class Keeper {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #onFault: (fault: unknown) => void;
  readonly #dirty = new Map<string, () => Json | undefined>();
  /** The length of each kept entry's text, by key. */
  readonly #entries = new Map<string, number>();
  #characters = 0;
  #cancel: (() => void) | undefined;

  constructor(storage: Storage, clock: Clock, onFault: (fault: unknown) => void) {
    this.#storage = storage;
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** Notes that a key changed; its value is read when it is written. */
  mark(key: string, value: () => Json | undefined): void {
    this.#dirty.set(key, value);
    this.#cancel ??= this.#clock.after(GATHER_MS, () => void this.flush());
  }

  /** Keeps an entry for the next start, and lets the oldest go. */
  keepEntry(entry: Entry): void {
    const key = entryKey(entry);
    if (this.#entries.has(key)) return;
    this.knowEntry(key, entry);
    this.mark(key, () => entry as unknown as Json);
    while (this.#entries.size > KEPT_ENTRIES || this.#characters > KEPT_CHARACTERS) {
      const [oldest = ["", 0] as const] = this.#entries;
      this.#entries.delete(oldest[0]);
      this.#characters -= oldest[1];
      this.mark(oldest[0], () => undefined);
    }
  }

  /** Notes an entry that the storage has already. */
  knowEntry(key: string, { body }: Entry): void {
    const length = bodyLength(body);
    this.#entries.set(key, length);
    this.#characters += length;
  }

  /** Writes everything dirty now. Never rejects. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    const changes: Change[] = [...this.#dirty].map(([key, value]) => ({ key, value: value() }));
    this.#dirty.clear();
    if (changes.length === 0) return;
    try {
      await this.#storage.write(changes);
    } catch (fault) {
      this.#onFault(fault);
    }
  }
}

/** Keys sort by thread and seq. */
function entryKey(entry: Entry): string {
  return `entry/${entry.threadId}/${String(entry.seq).padStart(16, "0")}`;
}
