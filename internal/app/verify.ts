import { existsSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { HeddleError } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import { ThreadCheck } from "../message/offline/thread-check.ts";
import { type LevelFiles, lookAtFiles } from "../store/level/files/level-files.ts";
import { lookAtTables } from "../store/level/files/table-look.ts";
import { LevelMessageStore } from "../store/level/level-message-store.ts";
import { checkRows, type RowsCheck } from "../store/sqlite/rows-check.ts";
import type { DataFolder } from "./data-folder.ts";

/** Something that is not as it was written. */
export interface Problem {
  /** A file of the data folder, or `thread <id in hex>`. */
  readonly where: string;
  readonly what: string;
}

/** What a look at a data folder found. */
export interface Verification {
  readonly problems: readonly Problem[];
  /** Nothing that was acknowledged is touched by these. */
  readonly remarks: readonly Problem[];
  readonly files: number;
  readonly threads: number;
  readonly entries: number;
}

/** Told what has been looked at so far, once in a while. */
export type Progress = (text: string) => void;

/**
 * Looks at everything in a data folder that no process uses: the rows' file, each checksum of LevelDB's files, and, where
 * these are well, every entry of every thread. Rejects with DataFolderError where the folder is in use.
 */
export async function verifyFolder(folder: DataFolder, progress: Progress): Promise<Verification> {
  const look = new Look(folder, progress);
  await look.run();
  return look;
}

class Look implements Verification {
  readonly #folder: DataFolder;
  readonly #progress: Progress;
  readonly problems: Problem[] = [];
  readonly remarks: Problem[] = [];
  files = 0;
  threads = 0;
  entries = 0;

  constructor(folder: DataFolder, progress: Progress) {
    this.#folder = folder;
    this.#progress = progress;
  }

  async run(): Promise<void> {
    const { messages, threads } = this.#folder;
    this.#progress("the rows");
    const rows = existsSync(threads) ? checkRows(threads) : undefined;
    this.files += 1;
    if (rows) for (const what of rows.problems) this.problems.push({ where: "threads.sqlite", what });
    else this.problems.push({ where: "threads.sqlite", what: "it is missing" });
    // A look at a folder of LevelDB that is not there finds no damage in it.
    if (!existsSync(messages)) this.problems.push({ where: "messages", what: "it is missing" });
    else if (await this.#levelFiles(messages)) await this.#log(messages, rows);
  }

  /** Whether LevelDB may open the folder: else it would leave out what is damaged, and delete the evidence. */
  async #levelFiles(path: string): Promise<boolean> {
    const found: LevelFiles = await lookAtFiles(path);
    const { damages, torn, tables, logs } = found;
    this.files += 2 + logs.length;
    for (const { file, why } of damages) this.problems.push({ where: `messages/${file}`, what: why });
    for (const { file, why } of torn) this.remarks.push({ where: `messages/${file}`, what: why });
    const there = tables.filter((file) => !damages.some((damage) => damage.file === file));
    const progress = (done: number, of: number) => this.#progress(`table ${done + 1} of ${of}`);
    const bad = await lookAtTables(path, there, { isWhole: true, progress });
    this.files += there.length;
    for (const { file, why } of bad) this.problems.push({ where: `messages/${file}`, what: why });
    return damages.length + bad.length === 0 && logs.length > 0;
  }

  async #log(path: string, rows: RowsCheck | undefined): Promise<void> {
    const store = await LevelMessageStore.open({ path, clock: systemClock });
    try {
      const { mark, notedRows } = store;
      if (rows && mark < rows.notedLogMark) {
        this.problems.push({ where: "messages", what: "it is of an earlier time than threads.sqlite" });
      }
      if (rows && notedRows && !rows.knows(notedRows)) {
        this.problems.push({ where: "threads.sqlite", what: "it is of an earlier time than messages" });
      }
      await this.#threads(store);
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error;
      this.problems.push({ where: "messages", what: error.message });
    } finally {
      await store.close();
    }
  }

  async #threads(store: LevelMessageStore): Promise<void> {
    let current = "";
    let check = new ThreadCheck();
    const end = () => {
      for (const what of check.problems) this.problems.push({ where: `thread ${current}`, what });
    };
    for await (const row of store.rows()) {
      const thread = hex(row.key.threadId);
      if (thread !== current) {
        end();
        current = thread;
        check = new ThreadCheck();
        this.threads += 1;
      }
      check.addRow(row.key, row);
      this.entries += row.entries.length;
      this.#progress(`${this.entries} entries of ${this.threads} threads`);
    }
    end();
  }
}
