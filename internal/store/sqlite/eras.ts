import { randomInt } from "node:crypto";
import { eraStatements } from "../sql/era-statements.ts";
import type { RowsHistory } from "../sql/sql-thread-store.ts";
import { get, type Work } from "../sql/work.ts";
import type { HistoryMark, SyncPage } from "../thread-store.ts";
import { sqliteCompiler } from "./compiler.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/** Eras that are remembered: a cursor of an earlier one means a full sync. */
const KEPT_ERAS = 10_000;

const sql = eraStatements(sqliteCompiler);

/**
 * The identity of the rows' history (docs/design.md, section 6). Every transaction raises `mark` in the same write, and
 * every start begins an era, so (era, mark) names one state of one history: a file that is put back to an earlier state
 * knows of no later era, and of its own only up to the mark that it has. No clock decides.
 */
export class Eras implements RowsHistory {
  readonly #file: SqliteFile;
  #now: HistoryMark = { era: 0, mark: 0 };

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  /** The last state that this handle committed. */
  get now(): HistoryMark {
    return this.#now;
  }

  /** Ends the era that ran at the last mark, and begins another: at each opening of the file, in one transaction. */
  begin(): void {
    const era = randomInt(1, 2 ** 48 - 1);
    const state = this.#file.transaction(() => {
      const last = this.#file.get(sql.readMark, {})?.value ?? 0;
      this.#file.run(sql.endEra, { mark: last });
      this.#file.run(sql.beginEra, { era });
      this.#file.run(sql.dropEras, { kept: KEPT_ERAS });
      return this.raise();
    });
    this.committed(state);
  }

  /**
   * Raises the mark, within a transaction. Returns the state that the file is in then, for `committed`: as it stands
   * there, for of a beginning that failed nobody knows whether it is durable.
   */
  raise(): HistoryMark {
    const raised = this.#file.get(sql.raiseMark, {});
    if (!raised) throw new Error("the row of the mark is missing");
    return { era: raised.era ?? 0, mark: raised.value };
  }

  /** The mark of the message log of which the rows last took note; 0 if they never did. */
  get notedLogMark(): number {
    return this.#file.get(sql.readLogMark, {})?.value ?? 0;
  }

  /** Takes note of the message log's mark, within a transaction. */
  noteLogMark(mark: number): void {
    this.#file.run(sql.noteLogMark, { mark });
  }

  /** Notes that the transaction that brought the file to this state was committed. */
  committed(state: HistoryMark): void {
    this.#now = state;
  }

  /** Read from the file: another handle may have begun an era since. */
  *moment(ownerId: string): Work<Pick<SyncPage, "state" | "nowMs" | "version">> {
    const moment = yield* get(sql.readMoment, { ownerId });
    if (!moment?.era) throw new Error("no era has begun");
    const { era, mark, now_ms: nowMs, version } = moment;
    return { state: { era, mark: mark ?? 0 }, nowMs, version: version ?? 0 };
  }

  /** Whether the present state has grown out of that one. */
  *knows({ era, mark }: HistoryMark): Work<boolean> {
    const found = yield* get(sql.readEra, { era });
    return found !== undefined && mark <= (found.last_mark ?? found.mark ?? 0);
  }
}
