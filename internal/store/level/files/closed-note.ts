import { open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** In the folder of LevelDB, which leaves names alone that are not its own. */
const FILE = "closed";

/**
 * Notes durably that the folder was closed in order: no process died over it. The note names the MANIFEST, of which each
 * opening makes another, so that an older program, which does not remove the note, makes it void. Best effort: without
 * it the next start takes a longer look.
 */
export async function noteClosed(path: string): Promise<void> {
  try {
    const file = await open(join(path, FILE), "w");
    try {
      await file.writeFile(await manifestOf(path));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch {}
}

/** Whether the folder was closed in order, and not opened since. */
export async function wasClosed(path: string): Promise<boolean> {
  try {
    return (await readFile(join(path, FILE), "utf8")) === (await manifestOf(path));
  } catch {
    return false;
  }
}

/** Before it is opened. Rejects as node:fs does: a note that stays would be believed after a crash. */
export async function forgetClosed(path: string): Promise<void> {
  await rm(join(path, FILE), { force: true });
}

async function manifestOf(path: string): Promise<string> {
  const name = (await readFile(join(path, "CURRENT"), "latin1")).trim();
  return `${name} ${(await stat(join(path, name))).size}\n`;
}
