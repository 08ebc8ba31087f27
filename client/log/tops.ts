import type { Entry } from "../model/model.ts";

/** What tells an entry from any other that might stand at its seq. */
export type Top = Omit<Entry, "threadId" | "body">;

/** Epochs in a row in which a thread took entries and was not compared. Of more it is not held any longer. */
const MOST_BETWEEN = 4;

/** As it is kept; the proved one was kept first, by earlier versions too. */
export interface KeptTops {
  readonly since?: Top;
  readonly between?: readonly Top[];
}

/**
 * The entries by which what is held of a thread is compared with a log. What came under one epoch is all of one
 * history, so its highest entry answers for the others. What is held may be of several: of the epoch under which it was
 * proved, of each one after that which ended before the thread was compared, and of the one of now.
 */
export class Tops {
  /** The highest entry held that is proved to be what the log held. */
  #proved: Top | undefined;
  /** The highest that has come under the epoch of now, under which the thread is not compared yet. */
  #since: Top | undefined;
  /** The highest of each epoch between the two. */
  #between: Top[] = [];

  static fromJson(proved: Top | undefined, kept: KeptTops | undefined): Tops {
    const tops = new Tops();
    tops.#proved = proved;
    tops.#since = kept?.since;
    tops.#between = [...(kept?.between ?? [])];
    return tops;
  }

  /** The proved one. */
  get proved(): Top | undefined {
    return this.#proved;
  }

  /** All that must be what the log has. Not what came under the epoch of now: it did come from that log. */
  get toCompare(): readonly Top[] {
    return this.#proved ? [this.#proved, ...this.#between] : this.#between;
  }

  /** Whether it is held too mixed to be compared. */
  get isLost(): boolean {
    return this.#between.length > MOST_BETWEEN;
  }

  get toKeep(): KeptTops | undefined {
    if (!this.#since && this.#between.length === 0) return undefined;
    return { ...(this.#since && { since: this.#since }), between: this.#between };
  }

  /** Entries came. `isProved`: the thread is compared under the epoch of now. `last`: the highest held. */
  take(entries: readonly Entry[], isProved: boolean, last: Entry | undefined): void {
    if (isProved) this.prove(last);
    else for (const entry of entries) if (entry.seq > (this.#since?.seq ?? 0)) this.#since = topOf(entry);
  }

  /** The epoch of now has ended, and the thread was not compared under it. */
  epochEnded(): void {
    if (this.#since && !this.isLost) this.#between.push(this.#since);
    this.#since = undefined;
  }

  /** All that is held is of the epoch of now. */
  prove(last: Entry | undefined): void {
    this.#since = undefined;
    this.#between = [];
    if (last && last.seq > (this.#proved?.seq ?? 0)) this.#proved = topOf(last);
  }
}

function topOf({ seq, sender, clientId, baseSeq, ordinal, createdAtMs }: Entry): Top {
  return { seq, sender, clientId, baseSeq, ordinal, createdAtMs };
}
