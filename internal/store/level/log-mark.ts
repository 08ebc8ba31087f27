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
  /** Of the last batch that was tried, which may be durable even where it failed. */
  #tried = 0;
  #noted: HistoryMark | undefined;

  /** `rows` tells the rows' last committed state, of which the log takes note. */
  constructor(rows: () => HistoryMark | undefined) {
    this.#rows = rows;
  }

  /**
   * The number of the last batch that is known to be durable. Never that of one that failed: what one store notes of the
   * other is only what is durable there, or a full disk would look like half a backup at the next start.
   */
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
    this.#tried = this.#mark;
    const era = readUint64(stored, 8);
    this.#noted = era === 0 ? undefined : { era, mark: readUint64(stored, 16) };
  }

  /** What the next batch writes under MARK_KEY; `durable` says that it is. In one run no number is given twice. */
  nextMark(): { readonly value: Uint8Array; durable(): void } {
    this.#tried += 1;
    const mark = this.#tried;
    const noted = this.#rows() ?? this.#noted;
    const value = new Uint8Array(MARK_BYTES);
    writeUint64(value, 0, mark);
    writeUint64(value, 8, noted?.era ?? 0);
    writeUint64(value, 16, noted?.mark ?? 0);
    return {
      value,
      durable: () => {
        this.#mark = mark;
        this.#noted = noted;
      },
    };
  }
}
