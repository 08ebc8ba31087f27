import { type FileHandle, open, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { makeFolder } from "../../internal/base/make-folder.ts";
import type { Change, Json, Storage } from "./storage.ts";

const FILE = "state.log";
/** A log this much longer than what it says is written anew. */
const SLACK_BYTES = 1024 * 1024;

interface Waiting {
  readonly line: string;
  readonly changes: readonly Change[];
  readonly durable: boolean;
  readonly resolve: () => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * Storage in one append-only file: a line per change set, `<crc32 in hex> <JSON>`, later lines win. A line is there as
 * a whole or not at all: a torn tail, as after kill -9 or a full disk, fails its checksum and is cut off at the next
 * open. Durable writes of one moment share an fsync. When the file has grown it is written anew under another name,
 * synced and renamed into place. One process at a time (client/file-lock.ts).
 */
export class FileStorage implements Storage {
  readonly #folder: string;
  readonly #values: Map<string, Json>;
  #file: FileHandle;
  /** The file is good up to here. */
  #bytes: number;
  /** Beyond this length it is written anew. */
  #mostBytes: number;
  /** Its name is not durable yet: it was written anew, and the folder could not be synced. */
  #isFolderDirty = false;
  /** Something beyond #bytes could not be cut off yet. */
  #isTorn = false;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #isClosed = false;

  private constructor(folder: string, values: Map<string, Json>, file: FileHandle, bytes: number) {
    this.#folder = folder;
    this.#values = values;
    this.#file = file;
    this.#bytes = bytes;
    this.#mostBytes = mostBytes(content(values).length);
  }

  /** Opens, and makes, the storage in a folder. Rejects as the file system does. */
  static async open(folder: string): Promise<FileStorage> {
    await makeFolder(folder);
    const path = join(folder, FILE);
    const { values, bytes } = await replay(path);
    const file = await open(path, "a", 0o600);
    await file.datasync();
    await syncFolder(folder);
    return new FileStorage(folder, values, file, bytes);
  }

  load(): Promise<ReadonlyMap<string, Json>> {
    return Promise.resolve(new Map(this.#values));
  }

  write(changes: readonly Change[], options: { readonly durable?: boolean } = {}): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error("the storage is closed"));
    const line = toLine(changes);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, changes, durable: options.durable ?? false, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await this.#file.close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        await this.#append(batch);
        for (const each of batch) each.resolve();
      } catch (fault) {
        for (const each of batch) each.reject(fault);
      }
    }
    this.#writing = undefined;
  }

  async #append(batch: readonly Waiting[]): Promise<void> {
    const bytes = Buffer.from(batch.map(({ line }) => line).join(""));
    if (this.#isTorn) await this.#cut();
    try {
      await this.#file.appendFile(bytes);
      if (batch.some(({ durable }) => durable)) await this.#sync();
    } catch (fault) {
      // What was refused must not come back after a restart, and half a line would hide every later one.
      this.#isTorn = true;
      await this.#cut().catch(() => {});
      throw fault;
    }
    this.#bytes += bytes.length;
    for (const { changes } of batch) apply(this.#values, changes);
    if (this.#bytes <= this.#mostBytes) return;
    // What was written is kept, whatever becomes of this: it is tried again when the file has grown as much once more.
    await this.#rewrite().catch(() => {
      this.#mostBytes = this.#bytes + SLACK_BYTES;
    });
  }

  async #sync(): Promise<void> {
    await this.#file.datasync();
    if (this.#isFolderDirty) await syncFolder(this.#folder);
    this.#isFolderDirty = false;
  }

  async #cut(): Promise<void> {
    await truncate(join(this.#folder, FILE), this.#bytes);
    this.#isTorn = false;
  }

  /** Rejects with the file as it was: the new one takes its place only when it is complete and open. */
  async #rewrite(): Promise<void> {
    const path = join(this.#folder, FILE);
    const bytes = content(this.#values);
    await writeFile(`${path}.new`, bytes, { mode: 0o600 });
    const fresh = await open(`${path}.new`, "a", 0o600);
    try {
      await fresh.datasync();
      await rename(`${path}.new`, path);
    } catch (fault) {
      await fresh.close();
      throw fault;
    }
    const old = this.#file;
    this.#file = fresh;
    this.#bytes = bytes.length;
    this.#mostBytes = mostBytes(bytes.length);
    this.#isFolderDirty = true;
    await old.close();
    await this.#sync();
  }
}

/** `liveBytes`: how long the file would be if it were written anew. */
function mostBytes(liveBytes: number): number {
  return 2 * liveBytes + SLACK_BYTES;
}

/** The shortest log that says this. */
function content(values: ReadonlyMap<string, Json>): Buffer {
  return Buffer.from([...values].map(([key, value]) => toLine([{ key, value }])).join(""));
}

function toLine(changes: readonly Change[]): string {
  const text = JSON.stringify(changes.map(({ key, value }) => (value === undefined ? [key] : [key, value])));
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
}

function fromLine(line: string): readonly Change[] | undefined {
  const text = line.slice(9);
  if (line[8] !== " " || crc32(text) !== Number.parseInt(line.slice(0, 8), 16)) return undefined;
  return (JSON.parse(text) as [string, Json?][]).map(([key, value]) => ({ key, value }));
}

function apply(values: Map<string, Json>, changes: readonly Change[]): void {
  for (const { key, value } of changes) {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
}

/** Reads the log up to its first bad line, and cuts it there. */
async function replay(path: string): Promise<{ values: Map<string, Json>; bytes: number }> {
  const values = new Map<string, Json>();
  const found = await readFile(path).catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === "ENOENT") return Buffer.alloc(0);
    throw fault;
  });
  let good = 0;
  for (let end = found.indexOf(10); end >= 0; end = found.indexOf(10, good)) {
    const changes = fromLine(found.toString("utf8", good, end));
    if (!changes) break;
    apply(values, changes);
    good = end + 1;
  }
  if (good < found.length) await truncate(path, good);
  await rm(`${path}.new`, { force: true });
  return { values, bytes: good };
}

/** A new name is durable only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
}
