import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ByteReader } from "./byte-reader.ts";
import { type Records, readRecords } from "./record-file.ts";
import { readVersion, type Version } from "./version-edits.ts";

/** A file of the folder that is not as LevelDB wrote it. */
export interface Damage {
  /** The file's name. */
  readonly file: string;
  /** In a few words. */
  readonly why: string;
}

/** What a look at a LevelDB folder found. */
export interface LevelFiles {
  readonly damages: readonly Damage[];
  /** Files whose last write was never finished, nor acknowledged: LevelDB goes on without it. */
  readonly torn: readonly (Damage & { readonly bytes: number })[];
  /** Names of the tables that hold the data. */
  readonly tables: readonly string[];
  /** Bytes of all of them, as the MANIFEST has it. */
  readonly tableBytes: number;
  /** Names of the write-ahead logs that are read at the next opening, the oldest first. */
  readonly logs: readonly string[];
  /** What the MANIFEST says; undefined where it, or CURRENT, cannot be read. */
  readonly version: Version | undefined;
}

const NOTHING: LevelFiles = {
  damages: [],
  torn: [],
  tables: [],
  tableBytes: 0,
  logs: [],
  version: undefined,
};

/** A write-ahead log's record: number of its first operation (8), how many there are (4), the operations. */
const BATCH_HEADER_BYTES = 12;

/**
 * Looks at what LevelDB reads when it opens a folder, CURRENT, the MANIFEST and the live write-ahead logs, and that the
 * tables are there. It must be done before: opening moves the good records of a log into a table, leaves out the bad
 * ones without a word, and deletes the log. Takes milliseconds: the logs hold a few MiB. Rejects as node:fs does.
 */
export async function lookAtFiles(path: string): Promise<LevelFiles> {
  const names = await namesIn(path);
  const current = names.includes("CURRENT") ? await readFile(join(path, "CURRENT"), "latin1") : undefined;
  if (current === undefined) {
    // LevelDB would begin anew and delete them.
    const orphan = names.find((name) => /\.(log|ldb)$/.test(name));
    return orphan ? found("CURRENT", `it is missing, and ${orphan} is there`) : NOTHING;
  }
  const manifest = /^(MANIFEST-\d+)\n$/.exec(current)?.[1];
  if (!manifest || !names.includes(manifest)) return found("CURRENT", "it names no MANIFEST that is there");
  return new FolderLook(path, names).run(manifest);
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  }
}

function found(file: string, why: string): LevelFiles {
  return { ...NOTHING, damages: [{ file, why }] };
}

class FolderLook {
  readonly #path: string;
  readonly #names: readonly string[];
  readonly #damages: Damage[] = [];
  readonly #torn: (Damage & { bytes: number })[] = [];

  constructor(path: string, names: readonly string[]) {
    this.#path = path;
    this.#names = names;
  }

  async run(manifest: string): Promise<LevelFiles> {
    const version = await this.#version(manifest);
    if (!version) return { ...NOTHING, damages: this.#damages };
    const tables = await this.#tables(version);
    const logs = await this.#logs(version);
    const tableBytes = [...version.tables.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    return { damages: this.#damages, torn: this.#torn, tables, tableBytes, logs, version };
  }

  async #version(manifest: string): Promise<Version | undefined> {
    const { records } = await this.#records(manifest);
    if (this.#damages.length > 0) return undefined;
    try {
      return readVersion(records.map(({ bytes }) => bytes));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#damages.push({ file: manifest, why: error.message });
      return undefined;
    }
  }

  async #tables(version: Version): Promise<readonly string[]> {
    const names: string[] = [];
    for (const [number, { bytes }] of version.tables) {
      const name = fileName(number, "ldb");
      names.push(name);
      if (!this.#names.includes(name)) this.#damages.push({ file: name, why: "it is missing" });
      else if ((await stat(join(this.#path, name))).size !== bytes) {
        this.#damages.push({ file: name, why: `it does not have the ${bytes} bytes that were written` });
      }
    }
    return names;
  }

  /** The operations of all live logs are numbered without a gap: a record that is gone shows, wherever it stood. */
  async #logs(version: Version): Promise<readonly string[]> {
    const { logNumber, previousLogNumber, lastSequence } = version;
    const numbers = this.#names
      .map((name) => Number(/^(\d+)\.log$/.exec(name)?.[1] ?? Number.NaN))
      .filter((number) => number >= logNumber || (number === previousLogNumber && number > 0))
      .sort((a, b) => a - b);
    if (logNumber > 0 && !numbers.includes(logNumber)) {
      this.#damages.push({ file: fileName(logNumber, "log"), why: "it is missing" });
    }
    let next: number | undefined;
    for (const number of numbers) {
      const file = fileName(number, "log");
      const { records } = await this.#records(file);
      for (const { bytes, offset } of records) {
        const batch = batchOf(bytes);
        const gap = next === undefined ? batch && batch.from > lastSequence + 1 : batch?.from !== next;
        if (!batch || gap) {
          const why = batch ? `records before byte ${offset} are missing` : `no batch at byte ${offset}`;
          this.#damages.push({ file, why });
          break;
        }
        next = batch.from + batch.count;
      }
    }
    return numbers.map((number) => fileName(number, "log"));
  }

  async #records(file: string): Promise<Records> {
    const read = readRecords(await readFile(join(this.#path, file)));
    const { end, records } = read;
    if (end.kind === "damaged") this.#damages.push({ file, why: `${end.why} (at byte ${end.offset})` });
    if (end.kind === "torn") {
      const why = `its last write was not finished (at byte ${end.offset}, after ${records.length} records)`;
      this.#torn.push({ file, why, bytes: end.bytes });
    }
    return read;
  }
}

function batchOf(record: Uint8Array): { readonly from: number; readonly count: number } | undefined {
  if (record.length < BATCH_HEADER_BYTES) return undefined;
  const reader = new ByteReader(record);
  return { from: reader.uint64(), count: reader.uint32() };
}

/** The name of a table or a log by its number. */
export function fileName(number: number, extension: "log" | "ldb"): string {
  return `${String(number).padStart(6, "0")}.${extension}`;
}
