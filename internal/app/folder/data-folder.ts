import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { access, constants, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../../base/make-folder.ts";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { DATA_VERSION, PROGRAM_VERSION } from "../settings/versions.ts";

/** The places in a data folder. */
export interface DataFolder {
  /** Says which version of the data it has, and has a copy of the deployment's id. */
  readonly version: string;
  /** LevelDB: the message log. */
  readonly messages: string;
  /** SQLite: thread rows and devices. */
  readonly threads: string;
  /** Names the data. */
  readonly deploymentId: string;
  /** Signs tickets. */
  readonly ticketKey: string;
  /** Signs user tokens in the development profile. */
  readonly devUserKey: string;
  /** Opens the admin port's calls that do something. */
  readonly adminKey: string;
  /** Held while the folder is repaired; not there at other times, or left over from a repair that was killed. */
  readonly repairLock: string;
}

/**
 * Makes the data folder if there is none, and notes its version in it. Rejects with DataFolderError if this user cannot
 * write there, or if a newer program wrote it: nothing in it is opened then.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    await makeFolder(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    await noteVersion(path);
  } catch (error) {
    throw error instanceof DataFolderError ? error : DataFolderError.unusable(path, error);
  }
  return placesIn(path);
}

/** The places in a data folder, none of which needs to be there: nothing is looked at. */
export function placesIn(path: string): DataFolder {
  return {
    version: join(path, "version.json"),
    messages: join(path, "messages"),
    threads: join(path, "threads.sqlite"),
    deploymentId: join(path, "deployment-id"),
    ticketKey: join(path, "keys/ticket.json"),
    devUserKey: join(path, "keys/dev-user.json"),
    adminKey: join(path, "keys/admin"),
    repairLock: join(path, "repair.lock"),
  };
}

/** Refuses messages without their rows before either is opened: new rows would list nothing of what is there. */
export function refuseHalf({ messages, threads }: DataFolder): void {
  if (!existsSync(join(messages, "CURRENT")) || existsSync(threads)) return;
  throw new DataFolderError(
    threads,
    `${threads} is missing, and the messages are there: put both back from one backup, or let bin/heddle admin repair ` +
      "make the rows anew from the messages (docs/backup.md)",
  );
}

/** Refuses a folder whose rows and messages are in Postgres: new ones beside its keys would look like all was lost. */
export async function refuseElsewhere(folder: string): Promise<void> {
  if (!(await isElsewhere(folder))) return;
  throw new DataFolderError(
    folder,
    `${folder} holds only keys, its rows and messages are in Postgres: set HEDDLE_DATABASE_URL, or HEDDLE_DATA_DIR to ` +
      "another folder (docs/postgres.md says how they are looked after)",
  );
}

/** Refuses `command`, which looks after embedded stores, where rows and messages are in Postgres: that has tools of its own. */
export async function refuseCare(
  command: string,
  folder: string,
  databaseUrl: string | undefined,
): Promise<void> {
  const isSet = databaseUrl !== undefined;
  if (!isSet && !(await isElsewhere(folder))) return;
  const why = isSet ? "HEDDLE_DATABASE_URL is set" : `rows and messages of ${folder} are in Postgres`;
  throw new DataFolderError(
    folder,
    `${command} is for embedded stores, and ${why}: look after the database with Postgres's own tools (docs/postgres.md)`,
  );
}

async function isElsewhere(folder: string): Promise<boolean> {
  const note = await readNote(folder).catch(() => undefined); // A damaged one is told of by `verify`.
  return note?.stores === "postgres";
}

/** Refuses a folder that has rows or messages, where others are in Postgres: these would be hidden. */
export function refuseEmbedded({ messages, threads }: DataFolder): void {
  const found = [messages, threads].find((path) => existsSync(path));
  if (found === undefined) return;
  throw new DataFolderError(
    found,
    `${found} is there, and HEDDLE_DATABASE_URL is set: leave that out to serve this folder, or set HEDDLE_DATA_DIR to ` +
      "another one to serve the database (nothing is taken over from one to the other)",
  );
}

/** What version.json says. */
export interface VersionNote {
  readonly data: number;
  readonly program: string;
  /**
   * A copy of the deployment's id, to compare with: one wrong digit in that is an id too. Empty until there is an id;
   * undefined where an earlier program wrote the file, which kept no copy.
   */
  readonly deployment?: string | undefined;
  /** False where an earlier program wrote the file, which added no sum of it. */
  readonly isSummed: boolean;
  /** Where rows and messages are, if not in the folder. */
  readonly stores?: "postgres" | undefined;
}

/** What begins the last field of version.json: a sum of all that stands before this, whatever program wrote it. */
const SUM = ',"sum":';

/**
 * What is noted of a folder's data; undefined for a folder without a note: a new one, or from before versions were
 * noted. Rejects with DataFolderError where a newer program wrote it, or where it cannot be read.
 */
export async function readNote(folder: string): Promise<VersionNote | undefined> {
  const path = placesIn(folder).version;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw DataFolderError.unusable(path, error);
  });
  if (text === undefined) return undefined;
  const note = parse(path, text);
  if (note.data > DATA_VERSION) throw DataFolderError.newer(folder, note.program);
  return note;
}

/**
 * Notes this program's version of the data, the copy of the deployment's id, and where else rows and messages are, with a
 * sum of it all.
 */
export async function writeNote(
  path: string,
  deployment: string | undefined,
  stores?: VersionNote["stores"],
): Promise<void> {
  // Earlier programs look for `check` and know of no sum.
  const copy = deployment ? { deployment, check: sumOf(deployment) } : { deployment };
  const note = JSON.stringify({ data: DATA_VERSION, program: PROGRAM_VERSION, ...copy, stores }).slice(0, -1);
  await writeWhole(path, `${note}${SUM}"${sumOf(note)}"}\n`);
}

/** A small file, whole or not there, and durable before anybody is told of it. Rejects as node:fs does. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}

async function noteVersion(folder: string): Promise<void> {
  const { version, deploymentId } = placesIn(folder);
  const note = await readNote(folder);
  if (note?.data === DATA_VERSION && note.isSummed) return;
  // Empty: that there is none yet is no damage.
  await writeNote(version, note || existsSync(deploymentId) ? note?.deployment : "", note?.stores);
}

function parse(path: string, text: string): VersionNote {
  try {
    const { data, program, deployment, check, stores, sum } = JSON.parse(text) as Record<string, unknown>;
    const isSummed = sum !== undefined;
    // Before anything is believed: one digit of the version that is another would read as a newer Heddle's.
    if (isSummed && sum !== sumOf(text.slice(0, text.lastIndexOf(SUM))))
      throw new Error("it is not what was written");
    if (!Number.isSafeInteger(data)) throw new Error("it names no version of the data");
    const elsewhere = stores === "postgres" ? ({ stores } as const) : {};
    const note = { data: data as number, program: String(program), isSummed, ...elsewhere };
    // A newer program may keep other things by this name.
    if (deployment === undefined || note.data > DATA_VERSION) return note;
    if (typeof deployment !== "string" || (deployment !== "" && check !== sumOf(deployment)))
      throw new Error("its copy of the deployment's id is not what was written");
    return { ...note, deployment };
  } catch (error) {
    throw DataFolderError.damagedSmall(path, error, "the next start of this version makes it anew");
  }
}

/** Tells what is damaged from what was written: 32 bits of SHA-256, in hex. */
function sumOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
