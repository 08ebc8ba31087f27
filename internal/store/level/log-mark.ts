import { readUint64, writeUint64 } from "../keys.ts";
import type { HistoryMark } from "../thread-store.ts";

/** Shorter than the key of any row, and so within no range that a row is read by. */
export const MARK_KEY: Uint8Array = Buffer.from("mark");

/** log's mark (8) | era (8) and mark (8) of the rows, big-endian. Era 0: the rows were not known. */
const MARK_BYTES = 24;

/**
 * How far the log has come, and what it knows of the rows beside it: `mark` counts its batches, and stands in each of
 * them with the rows' last committed state. So neither can be put back to an earlier time without the other's word.
 * Once per batch, not per message: 60 bytes of LevelDB's log.
 */
export class LogMark {
  readonly #rows: () => HistoryMark | undefined;
  #mark = 0;
  #noted: HistoryMark | undefined;

  /** `rows` tells the rows' last committed state, of which the log takes note. */
  constructor(rows: () => HistoryMark | undefined) {
    this.#rows = rows;
  }

  /** How many batches the log has had, over all its starts. What is durable. */
  get mark(): number {
    return this.#mark;
  }

  /** The state of the rows that the log last took note of; undefined if it never did. */
  get noted(): HistoryMark | undefined {
    return this.#noted;
  }

  /** Takes over what the folder says: nothing, where an older Heddle wrote it. */
  loadMark(stored: Uint8Array | undefined): void {
    if (stored?.length !== MARK_BYTES) return;
    this.#mark = readUint64(stored, 0);
    const era = readUint64(stored, 8);
    this.#noted = era === 0 ? undefined : { era, mark: readUint64(stored, 16) };
  }

  /** What the next batch writes under MARK_KEY; `done` says that it is durable, or, if it failed, that it may be. */
  nextMark(): { readonly value: Uint8Array; done(isDurable: boolean): void } {
    const mark = this.#mark + 1;
    const noted = this.#rows() ?? this.#noted;
    const value = new Uint8Array(MARK_BYTES);
    writeUint64(value, 0, mark);
    writeUint64(value, 8, noted?.era ?? 0);
    writeUint64(value, 16, noted?.mark ?? 0);
    return {
      value,
      done: (isDurable) => {
        this.#mark = mark; // Where it failed too: the number may be taken.
        if (isDurable) this.#noted = noted;
      },
    };
  }
}
