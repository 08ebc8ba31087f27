import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { hex } from "../../base/ids.ts";
import { isGroupThread } from "../../base/thread-id.ts";
import { RosterCheck } from "../../message/offline/roster-check.ts";
import { ThreadCheck } from "../../message/offline/thread-check.ts";
import { type CutThread, ThreadEnds } from "../../message/offline/thread-ends.ts";
import { rowKey } from "../../store/keys.ts";
import { LogMark, MARK_KEY } from "../../store/level/log-mark.ts";
import { rowsOf } from "../../store/level/log-scan.ts";
import { LogContent, type LostPart } from "../../store/level/offline/log-content.ts";
import { RowsCheck } from "../../store/sqlite/rows-check.ts";
import { placesIn } from "../folder/data-folder.ts";
import { refuseRepairing } from "../folder/repair-lock.ts";
import { checkIdentity } from "./identity-check.ts";

/** Something that is not as it was written. */
export interface Problem {
  /** A file of the data folder, or `thread <id in hex>`. */
  readonly where: string;
  readonly what: string;
}

/** What a look at a data folder found. */
export interface Verification {
  /** Of files, and of the first thousand threads that are touched. */
  readonly problems: readonly Problem[];
  /** Nothing that was acknowledged is touched by these. */
  readonly remarks: readonly Problem[];
  readonly files: number;
  readonly threads: number;
  readonly entries: number;
  /** How many threads are touched, those that are named and others. */
  readonly damagedThreads: number;
}

/** Told what has been looked at so far, once in a while. */
export type Progress = (text: string) => void;

/** More threads are counted and not named. */
const MAX_THREADS = 1_000;

/** Of one group: more differences between rows and log say nothing new. */
const MAX_OF_MEMBERS = 5;

/** Bytes of a row's key that say its thread. */
const THREAD_KEY_BYTES = 18;

/**
 * Looks at everything in a data folder that no process uses, layer by layer, each whatever was found in the others: the
 * small files, the rows' file and its tables, every block and record of the message log, and of each thread every entry
 * that can be read. Nothing is written. Rejects with DataFolderError where the folder is in use or being repaired, or cannot be read.
 */
export async function verifyFolder(path: string, progress: Progress): Promise<Verification> {
  const look = new Look(path, progress);
  await look.run();
  return look;
}

/**
 * One look at a data folder, which fills in what it finds. It writes nothing, and stops at nothing: a person wants the
 * whole damage at once.
 */
class Look implements Verification {
  readonly #path: string;
  readonly #progress: Progress;
  readonly #touched = new Set<string>();
  readonly problems: Problem[] = [];
  readonly remarks: Problem[] = [];
  files = 0;
  threads = 0;
  entries = 0;

  constructor(path: string, progress: Progress) {
    this.#path = path;
    this.#progress = progress;
  }

  get damagedThreads(): number {
    return this.#touched.size;
  }

  async run(): Promise<void> {
    const places = placesIn(this.#path);
    refuseRepairing(places);
    const { messages, threads } = places;
    if ((await readdir(this.#path)).length === 0) {
      this.problems.push({ where: ".", what: "the folder is empty: a start would begin anew" });
      return;
    }
    this.#progress("the rows");
    const rows = existsSync(threads) ? new RowsCheck(threads) : undefined;
    try {
      await this.#identity();
      this.files += 1;
      if (rows) for (const what of rows.problems) this.problems.push({ where: "threads.sqlite", what });
      else this.problems.push({ where: "threads.sqlite", what: "it is missing" });
      // A look at a folder of LevelDB that is not there finds no damage in it.
      if (existsSync(messages)) await this.#log(messages, rows);
      else this.problems.push({ where: "messages", what: "it is missing" });
    } finally {
      rows?.close();
    }
  }

  async #identity(): Promise<void> {
    for (const { where, what, isProblem } of await checkIdentity(this.#path))
      (isProblem ? this.problems : this.remarks).push({ where, what });
    this.files += 5;
  }

  /** Every table, and every entry of every thread. What is damaged in files is told before what that did to threads. */
  async #log(path: string, rows: RowsCheck | undefined): Promise<void> {
    const progress = (done: number, of: number) => this.#progress(`table ${done + 1} of ${of}`);
    const content = new LogContent(path, progress);
    const mark = new LogMark(() => undefined);
    const named = this.problems.length;
    await this.#threads(content, mark, rows);
    const found = content.damages.map(({ file, why }) => ({ where: `messages/${file}`, what: why }));
    this.problems.splice(named, 0, ...found);
    for (const { file, why } of content.torn) this.remarks.push({ where: `messages/${file}`, what: why });
    this.files += content.files;
    if (content.damages.length === 0 && content.files <= 2 && rows?.notedLogMark === 0)
      this.remarks.push({ where: "messages", what: "nothing was ever written" });
    this.#maybeTouched(content.lost, rows);
    if (rows) this.#compareMarks(mark, rows);
  }

  #compareMarks({ mark, noted }: LogMark, rows: RowsCheck): void {
    if (mark < rows.notedLogMark)
      this.problems.push({ where: "messages", what: "it is of an earlier time than threads.sqlite" });
    if (noted && !rows.knows(noted))
      this.problems.push({ where: "threads.sqlite", what: "it is of an earlier time than messages" });
  }

  /** Thread by thread, as rows come in the order of their keys: so one thread is in memory at a time. */
  async #threads(content: LogContent, mark: LogMark, rows: RowsCheck | undefined): Promise<void> {
    let current = "";
    let check = new ThreadCheck();
    let members: RosterCheck | undefined;
    const ends = new ThreadEnds();
    const end = () => {
      this.#touch(current, [...check.problems, ...(members?.problems().slice(0, MAX_OF_MEMBERS) ?? [])]);
    };
    for await (const row of rowsOf(marked(content, mark))) {
      const thread = hex(row.key.threadId);
      if (thread !== current) {
        end();
        current = thread;
        check = new ThreadCheck();
        const stored = isGroupThread(row.key.threadId) ? rows?.roster(row.key.threadId) : undefined;
        members = stored && new RosterCheck(row.key.threadId, stored);
        this.threads += 1;
      }
      check.addRow(row.key, row);
      ends.addRow(row.key, row);
      if (members) for (const entry of row.entries) members.addEntry(entry);
      this.entries += row.entries.length;
      this.#progress(`${this.entries} entries of ${this.threads} threads`);
    }
    end();
    for (const cut of ends.cutOf(rows?.knownThreads() ?? [])) this.#touch(cut.thread, [cutText(cut)]);
  }

  /** Notes what is wrong with a thread. Beyond the first thousand threads they are only counted. */
  #touch(thread: string, problems: readonly string[]): void {
    if (problems.length === 0) return;
    this.#touched.add(thread);
    if (this.#touched.size > MAX_THREADS) return;
    for (const what of problems) this.problems.push({ where: `thread ${thread}`, what });
  }

  /** Threads of which all that was in a damaged block may be gone without a trace in what is left. */
  #maybeTouched(lost: readonly LostPart[], rows: RowsCheck | undefined): void {
    const bounded = lost.filter(({ after, upTo }) => after && upTo);
    if (bounded.length === 0) return;
    for (const threadId of rows?.threadIds() ?? []) {
      const thread = hex(threadId);
      const part = this.#touched.has(thread) ? undefined : bounded.find((one) => mayHold(one, threadId));
      if (part) this.#touch(thread, [`it may lack what ${part.file} held of it`]);
    }
  }
}

/** The cells, of which the log's mark is taken out on the way. */
async function* marked(content: LogContent, mark: LogMark) {
  for await (const cell of content.cells()) {
    if (Buffer.compare(cell[0], MARK_KEY) === 0) mark.loadMark(cell[1]);
    yield cell;
  }
}

function cutText({ end, knownSeq }: CutThread): string {
  if (end > 0) return `seq ${end + 1} to ${knownSeq} are missing at its end, of which the rows know`;
  if (knownSeq === 0) return "nothing of it is left, and the rows know that somebody wrote there";
  return `nothing of it is left, and the rows know that it went up to seq ${knownSeq} at least`;
}

/** Whether a damaged part may have held rows of a thread, by the keys that stand around it. */
function mayHold({ after, upTo }: LostPart, threadId: Uint8Array): boolean {
  const key = rowKey({ threadId, bucket: 0 }).subarray(0, THREAD_KEY_BYTES);
  const isBehind = !after || Buffer.compare(key, after.subarray(0, THREAD_KEY_BYTES)) >= 0;
  return isBehind && (!upTo || Buffer.compare(key, upTo.subarray(0, THREAD_KEY_BYTES)) <= 0);
}
