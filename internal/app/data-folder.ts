import { access, constants, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DataFolderError } from "../store/data-folder-error.ts";

/** The places in a data folder. */
export interface DataFolder {
  /** LevelDB: the message log. */
  readonly messages: string;
  /** SQLite: thread rows and devices. */
  readonly threads: string;
  /** Signs tickets. */
  readonly ticketKey: string;
  /** Signs user tokens in the development profile. */
  readonly devUserKey: string;
}

/** Makes the data folder if there is none. Rejects with DataFolderError if this user cannot write there. */
export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw DataFolderError.unusable(path, error);
  }
  return {
    messages: join(path, "messages"),
    threads: join(path, "threads.sqlite"),
    ticketKey: join(path, "keys/ticket.json"),
    devUserKey: join(path, "keys/dev-user.json"),
  };
}
