import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Damage, fileName, lookAtFiles } from "../files/level-files.ts";
import { readAllRecords } from "../files/record-file.ts";
import { tableProblems } from "../files/table-file.ts";
import type { Version } from "../files/version-edits.ts";
import { type LostRange, tableCells } from "./table-cells.ts";
import { readBatch, type StoredCell } from "./write-batch.ts";

/** A part of a file that cannot be read: between these keys something may be missing. */
export interface LostPart extends LostRange {
  readonly file: string;
}

/** More damaged places of a file are counted and not named. */
const MAX_PLACES = 20;

/** Told before each table: how many are read, of how many. */
export type TableProgress = (done: number, of: number) => void;

/** A table, or all write-ahead logs, as one source of cells in order. */
interface Source {
  readonly cells: readonly StoredCell[];
  at: number;
}

interface Table {
  readonly file: string;
  /** Its first key. */
  readonly smallest: Uint8Array;
  /** Its last one, where the MANIFEST says it. */
  readonly largest?: Uint8Array;
}

/**
 * All that can be read of a folder of LevelDB that nobody uses, by our own reader: nothing is written, and no damaged
 * file ends it. Where CURRENT or the MANIFEST cannot be read, every table and log that is there is taken: of two values
 * the one written later counts, so that a left-over one does no harm.
 */
export class LogContent {
  readonly #path: string;
  readonly #progress: TableProgress;
  /** Filled while it is read. */
  readonly damages: Damage[] = [];
  /** Where the last write was not finished: nobody was told that it is kept. */
  readonly torn: Damage[] = [];
  /** Filled while it is read. Of logs no bounds are known. */
  readonly lost: LostPart[] = [];
  /** How many files were looked at. */
  files = 0;

  constructor(path: string, progress: TableProgress = () => {}) {
    this.#path = path;
    this.#progress = progress;
  }

  /** Keys and values in order of the keys. Once. Rejects as node:fs does. */
  async *cells(): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    const { damages, torn, logs, tables, version } = await lookAtFiles(this.#path);
    this.damages.push(...damages);
    this.torn.push(...torn);
    this.files = 2 + logs.length + tables.length;
    const waiting = version ? knownTables(version) : await this.#allTables();
    waiting.sort((a, b) => Buffer.compare(a.smallest, b.smallest));
    const names = version ? logs : await this.#namesOf(/^\d+\.log$/);
    yield* this.#merge(waiting, [{ cells: await this.#logCells(names), at: 0 }]);
  }

  async *#merge(
    waiting: readonly Table[],
    sources: Source[],
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    let opened = 0;
    let last: Uint8Array | undefined;
    for (;;) {
      let first = lowest(sources);
      for (let next = waiting[opened]; next; next = waiting[opened]) {
        if (first && Buffer.compare(next.smallest, cellOf(first).key) > 0) break;
        this.#progress(opened++, waiting.length);
        sources.push({ cells: await this.#tableCells(next), at: 0 });
        first = lowest(sources);
      }
      if (!first) return;
      const { key, value } = cellOf(first);
      first.at += 1;
      if (first.at === first.cells.length) sources.splice(sources.indexOf(first), 1);
      // An older value of the same key.
      if (last && Buffer.compare(key, last) === 0) continue;
      last = key;
      if (value) yield [key, value];
    }
  }

  async #tableCells({ file, smallest, largest }: Table): Promise<readonly StoredCell[]> {
    const bytes = await this.#read(file);
    if (!bytes) {
      this.lost.push({ file, after: smallest, upTo: largest });
      return [];
    }
    if (!this.damages.some((damage) => damage.file === file)) this.#tell(file, [...tableProblems(bytes)]);
    const { cells, lost } = tableCells(bytes);
    for (const range of lost) this.lost.push({ file, ...range });
    return cells;
  }

  async #logCells(names: readonly string[]): Promise<StoredCell[]> {
    const cells: StoredCell[] = [];
    for (const file of names) {
      const bytes = await this.#read(file);
      const { records, damages } = readAllRecords(bytes ?? new Uint8Array(0));
      let isLost = !bytes || damages.length > 0;
      for (const record of records) {
        try {
          cells.push(...readBatch(record.bytes));
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          isLost = true;
        }
      }
      const told = this.damages.filter((damage) => damage.file === file).map(({ why }) => why);
      const isTold = told.length > 0;
      const places = damages.map(({ offset, why }) => `${why} (at byte ${offset})`);
      if (isLost && places.length === 0 && !isTold) places.push("a record is no batch of writes");
      this.#tell(
        file,
        places.filter((place) => !told.includes(place)),
      );
      if (isLost || isTold) this.lost.push({ file, after: undefined, upTo: undefined });
    }
    return cells.sort((a, b) => Buffer.compare(a.key, b.key) || b.sequence - a.sequence);
  }

  /** Every place by itself: a person wants to know how much of a file is damaged. */
  #tell(file: string, places: readonly string[]): void {
    for (const why of places.slice(0, MAX_PLACES)) this.damages.push({ file, why });
    const others = places.length - MAX_PLACES;
    if (others > 0) this.damages.push({ file, why: `${others} more places of it are damaged` });
  }

  /** Without a MANIFEST only the tables themselves say where they begin. */
  async #allTables(): Promise<Table[]> {
    const tables: Table[] = [];
    for (const file of await this.#namesOf(/^\d+\.ldb$/)) {
      const bytes = await this.#read(file);
      const [first] = bytes ? tableCells(bytes).cells : [];
      tables.push({ file, smallest: first?.key ?? new Uint8Array(0) });
    }
    this.files += tables.length;
    return tables;
  }

  async #namesOf(pattern: RegExp): Promise<string[]> {
    return (await readdir(this.#path)).filter((name) => pattern.test(name)).sort();
  }

  async #read(file: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#path, file));
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return undefined; // That it is missing was told.
      throw error;
    }
  }
}

function knownTables(version: Version): Table[] {
  return [...version.tables].map(([number, { smallest, largest }]) => ({
    file: fileName(number, "ldb"),
    smallest: smallest.subarray(0, -8),
    largest: largest.subarray(0, -8),
  }));
}

function cellOf({ cells, at }: Source): StoredCell {
  const cell = cells[at];
  if (!cell) throw new RangeError("a source is read out");
  return cell;
}

/** The source of the lowest key; of equal ones, the newest. A few sources: one a level, and those of level 0. */
function lowest(sources: readonly Source[]): Source | undefined {
  let found: Source | undefined;
  let best: StoredCell | undefined;
  for (const source of sources) {
    const cell = source.cells[source.at];
    if (!cell) continue;
    const order = best ? Buffer.compare(cell.key, best.key) || best.sequence - cell.sequence : -1;
    if (order >= 0) continue;
    found = source;
    best = cell;
  }
  return found;
}
