import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { storedSigningKey } from "../../rpc/credentials/signing-key.ts";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { parseAdminKey } from "../folder/admin-key.ts";
import { placesIn, readNote, type VersionNote } from "../folder/data-folder.ts";
import { readId } from "../folder/history.ts";

/** What is wrong with a small file, or worth a remark. `where` is its path in the data folder. */
export interface FileFinding {
  readonly where: string;
  readonly what: string;
  /** False where a start makes it without harm to anyone. */
  readonly isProblem: boolean;
}

/**
 * Looks at the small files by which a data folder is known: its version, the deployment's id, the keys. A start makes
 * keys anew that are missing and says nothing, so that tickets and sign-ins end. Rejects with
 * DataFolderError where a newer program wrote the folder.
 */
export async function checkIdentity(path: string): Promise<readonly FileFinding[]> {
  const folder = placesIn(path);
  const findings: FileFinding[] = [];
  const find = (file: string, what: string, isProblem = true) =>
    findings.push({ where: relative(path, file), what, isProblem });

  let note: VersionNote | undefined;
  let isNoteWell = true;
  try {
    note = await readNote(path);
    if (note === undefined)
      find(folder.version, "it is missing, as in folders of older programs: the next start makes it", false);
  } catch (error) {
    if (error instanceof DataFolderError && /a newer Heddle/.test(error.message)) throw error;
    find(folder.version, unusableText(error));
    isNoteWell = false;
  }
  // A program that notes no version makes no id and no key for the admin port.
  const isOlder = ![folder.version, folder.deploymentId, folder.adminKey].some((file) => existsSync(file));
  const looks: readonly [file: string, look: () => Promise<unknown>, isNeeded: boolean, effect: string][] = [
    [
      folder.deploymentId,
      () => readId(folder, note?.deployment),
      // Empty: no start has come so far as to make one.
      !isOlder && note?.deployment !== "",
      missingId(note, isNoteWell),
    ],
    [
      folder.ticketKey,
      () => storedSigningKey(folder.ticketKey),
      true,
      "a start makes another, and all tickets are void",
    ],
    [folder.devUserKey, () => storedSigningKey(folder.devUserKey), false, ""],
    [folder.adminKey, () => adminKey(folder.adminKey), !isOlder, "a start makes another"],
  ];
  for (const [file, look, isNeeded, effect] of looks) {
    try {
      if ((await look()) === undefined && isNeeded) find(file, `it is missing: ${effect}`);
    } catch (error) {
      find(file, unusableText(error));
    }
  }
  return findings;
}

function missingId(note: VersionNote | undefined, isNoteWell: boolean): string {
  if (note?.deployment) return "the next start puts its copy in version.json in its place";
  if (note || !isNoteWell) return "there is no copy, so no start is possible (docs/backup.md)";
  return "a start makes another, and clients drop all that they hold";
}

/** The file system's errors are findings too: one small file that cannot be read ends no look at the others. */
function unusableText(error: unknown): string {
  const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  if (typeof code === "string") return `it cannot be read (${code}): no start is possible`;
  return "it is not what was written: no start is possible until it is put back, or removed (docs/backup.md)";
}

async function adminKey(path: string): Promise<string | undefined> {
  return existsSync(path) ? parseAdminKey(path, await readFile(path, "utf8")) : undefined;
}
