import { existsSync } from "node:fs";
import { access, constants, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../base/make-folder.ts";
import { DataFolderError } from "../store/data-folder-error.ts";
import { DATA_VERSION, PROGRAM_VERSION } from "./versions.ts";

/** The places in a data folder. */
export interface DataFolder {
  /** Says which version of the data it has. */
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

/**
 * The version of a folder's data; undefined for a folder without one: a new one, or from before versions were noted.
 * Rejects with DataFolderError where a newer program wrote it, or where it cannot be read.
 */
export async function readVersion(folder: string): Promise<number | undefined> {
  const path = placesIn(folder).version;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw DataFolderError.unusable(path, error);
  });
  if (text === undefined) return undefined;
  const { data, program } = parse(path, text);
  if (data > DATA_VERSION) throw DataFolderError.newer(folder, program);
  return data;
}

/** Written whole or not at all: a crash must not leave a version that cannot be read. */
async function noteVersion(folder: string): Promise<void> {
  if ((await readVersion(folder)) === DATA_VERSION) return;
  const path = placesIn(folder).version;
  await writeFile(`${path}.new`, `${JSON.stringify({ data: DATA_VERSION, program: PROGRAM_VERSION })}\n`);
  await rename(`${path}.new`, path);
}

function parse(path: string, text: string): { readonly data: number; readonly program: string } {
  try {
    const { data, program } = JSON.parse(text) as { data?: unknown; program?: unknown };
    if (!Number.isSafeInteger(data)) throw new Error("it names no version of the data");
    return { data: data as number, program: String(program) };
  } catch (error) {
    throw DataFolderError.damagedSmall(path, error, "the next start of this version makes it anew");
  }
}
