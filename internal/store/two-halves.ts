import { type Clock, sleep } from "../base/clock.ts";
import { DataFolderError } from "./data-folder-error.ts";
import type { HistoryMark } from "./thread-store.ts";

/** How often each store takes note of the other's mark where that has moved, in ms: at least every 5 s, and some room. */
const NOTE_EVERY_MS = 3_000;

/** The message log, as the other half. */
export interface MarkedLog {
  /** Counts its batches. */
  readonly mark: number;
  /** The state of the rows that it last took note of. */
  readonly notedRows: HistoryMark | undefined;
  /** Takes note of the rows' state now. */
  noteRows(): Promise<void>;
}

/** The rows, as the other half. */
export interface MarkedRows {
  readonly state: HistoryMark;
  /** The mark of the log that they last took note of. */
  readonly notedLogMark: number;
  knows(state: HistoryMark): Promise<boolean>;
  noteLogMark(mark: number): Promise<void>;
}

/**
 * The message log and the rows are two stores of one history, and each is worth something only with the other of the
 * same time: a log that is older than the rows lacks entries that the rows speak of, rows that are older hide threads.
 * So each takes note of the other's mark, and a start at which either knows more than the other has is refused. A mark
 * is therefore only ever of what is durable: one of a write that failed would refuse the start after a full disk.
 */
export class TwoHalves {
  readonly #log: MarkedLog;
  readonly #rows: MarkedRows;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** The marks after the last notes, which themselves raise them by one: while nothing else is written, none is due. */
  #quiet = { log: -1, rows: -1 };

  constructor(log: MarkedLog, rows: MarkedRows, clock: Clock) {
    this.#log = log;
    this.#rows = rows;
    this.#clock = clock;
  }

  /** Rejects with DataFolderError, which names `folder` and the mend, if the halves are not of one time. */
  async check(folder: string): Promise<void> {
    const { mark, notedRows } = this.#log;
    if (mark < this.#rows.notedLogMark) throw otherTimes(folder, "messages", "threads.sqlite");
    if (notedRows && !(await this.#rows.knows(notedRows)))
      throw otherTimes(folder, "threads.sqlite", "messages");
  }

  /** Takes note now, and from now on. Rejects with DataFolderError if a store cannot write. */
  async start(folder: string): Promise<void> {
    try {
      await this.#note();
    } catch (error) {
      throw DataFolderError.unusable(folder, (error as { cause?: unknown }).cause ?? error);
    }
    this.#running = this.#run();
  }

  /** Takes note a last time. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#note().catch(() => {}); // A store that cannot write has told so itself.
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(this.#clock, NOTE_EVERY_MS, signal).catch(() => {});
      if (!signal.aborted) await this.#note().catch(() => {});
    }
  }

  async #note(): Promise<void> {
    const log = this.#log.mark;
    const rows = this.#rows.state.mark;
    if (log === this.#quiet.log && rows === this.#quiet.rows) return;
    await this.#rows.noteLogMark(log);
    await this.#log.noteRows();
    this.#quiet = { log: log + 1, rows: rows + 1 };
  }
}

function otherTimes(folder: string, older: string, newer: string): DataFolderError {
  return new DataFolderError(
    folder,
    `${folder}: ${older} is of an earlier time than ${newer}, as when half of a backup is put back: put both back from ` +
      "one backup, or let bin/heddle admin repair make the rows anew from the messages (docs/backup.md)",
  );
}
