import { randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../../internal/base/make-folder.ts";

/** Who holds a lock: enough to tell a dead holder from a new process that got its number. */
interface Holder {
  readonly pid: number;
  /** When the process began, in the kernel's words; "" where the system does not tell. */
  readonly began: string;
  readonly id: string;
}

/**
 * One process at a time in a folder: a file that names its holder. A holder that died, kill -9 included, has let go.
 * Two runs on one state would send the same outbox twice and overwrite each other's history. On a network file system
 * with machines of their own it does not hold: a process number says nothing there.
 */
export class FolderLock {
  readonly #path: string;
  readonly #holder: string;

  private constructor(path: string, holder: string) {
    this.#path = path;
    this.#holder = holder;
  }

  /** Takes the lock, or resolves to undefined if a living process has it. */
  static async takeLock(folder: string): Promise<FolderLock | undefined> {
    await makeFolder(folder);
    const path = join(folder, "lock");
    const holder: Holder = { pid: process.pid, began: await began(process.pid), id: randomUUID() };
    const text = JSON.stringify(holder);
    if (!(await putNew(path, text)) && !(await takeOver(path, text))) return undefined;
    return new FolderLock(path, text);
  }

  /** Lets go. Removes the file only while it is this holder's: after a take-over it is somebody else's. */
  async release(): Promise<void> {
    if ((await contentOf(this.#path)) === this.#holder) await rm(this.#path, { force: true });
  }
}

/** Makes the file with its content in one step. Resolves to false if there is one. */
async function putNew(path: string, text: string): Promise<boolean> {
  const own = `${path}.${randomUUID()}`;
  await writeFile(own, text, { mode: 0o600 });
  try {
    // A link fails where there is a file, and shows the content at once: a reader never finds it empty.
    await link(own, path);
    return true;
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw fault;
  } finally {
    await rm(own, { force: true });
  }
}

/**
 * Takes the lock from a dead holder. A dead holder's file is removed only by who has the guard beside it: of two that
 * found the same dead holder, the slower would else remove the lock that the faster has just taken.
 */
async function takeOver(path: string, text: string): Promise<boolean> {
  const guard = `${path}.guard`;
  if (!(await putNew(guard, text))) {
    // Held for a moment only: one whose holder is dead was left by a crash in that moment, and goes.
    if (!(await isAlive(await contentOf(guard)))) await rm(guard, { force: true });
    return false;
  }
  try {
    if (await isAlive(await contentOf(path))) return false;
    await rm(path, { force: true });
    return await putNew(path, text);
  } finally {
    await rm(guard, { force: true });
  }
}

/** Empty if there is no such file. */
function contentOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

async function isAlive(text: string): Promise<boolean> {
  let holder: Holder;
  try {
    holder = JSON.parse(text) as Holder;
    // Signal 0 only asks. EPERM is the answer about a living process of another user.
    process.kill(holder.pid, 0);
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === "EPERM";
  }
  // The same number, but another process: numbers are given anew.
  return holder.began === (await began(holder.pid));
}

/** Field 22 of /proc/<pid>/stat: clock ticks from boot to the start of the process. */
async function began(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // After the name, which may hold brackets and blanks itself. "" on systems without /proc: there the number alone
  // decides.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
