import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DataFolderError } from "../../store/data-folder-error.ts";

/**
 * The word that proves to the admin port that who calls may read the data folder. Any process, and any page in a browser
 * on this machine, can reach the port. Made at the first start. Rejects with DataFolderError.
 */
export async function openAdminKey(path: string): Promise<string> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const key = randomBytes(32).toString("hex");
    await writeFile(path, `${key}\n`, { flag: "wx", mode: 0o600 });
    return key;
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw DataFolderError.unusable(path, error);
  }
  return parseAdminKey(path, await readFile(path, "utf8"));
}

/** The word in the file's text. Throws DataFolderError if there is none. */
export function parseAdminKey(path: string, text: string): string {
  const key = text.trim();
  if (!/^[0-9a-f]{64}$/.test(key)) {
    const effect = "the next start makes another, which bin/heddle admin backup reads";
    throw DataFolderError.damagedSmall(path, new Error("not a key"), effect);
  }
  return key;
}
