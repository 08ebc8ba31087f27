import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Who holds a lock: enough to tell a dead holder from a new process that got its number. */
interface Holder {
  readonly pid: number;
  /** When the process began, in the kernel's words; "" where the system does not tell. */
  readonly began: string;
  readonly id: string;
}

/** One process at a time in a folder: a file that names its holder. A holder that died, kill -9 included, has let go. */
export class FolderLock {
  readonly #path: string;
  readonly #holder: string;

  private constructor(path: string, holder: string) {
    this.#path = path;
    this.#holder = holder;
  }

  /** Takes the lock, or resolves to undefined if a living process has it. */
  static async take(folder: string): Promise<FolderLock | undefined> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, "lock");
    const holder: Holder = { pid: process.pid, began: await began(process.pid), id: randomUUID() };
    const text = JSON.stringify(holder);
    for (;;) {
      try {
        await putNew(path, text);
        return new FolderLock(path, text);
      } catch (fault) {
        if ((fault as NodeJS.ErrnoException).code !== "EEXIST") throw fault;
      }
      const found = await readFile(path, "utf8").catch(() => "");
      if (found !== "" && (await isAlive(found))) return undefined;
      if (!(await takeAway(path, found))) return undefined;
    }
  }

  /** Lets go. */
  async release(): Promise<void> {
    if ((await readFile(this.#path, "utf8").catch(() => "")) === this.#holder)
      await rm(this.#path, { force: true });
  }
}

/** Makes the file with its content in one step; EEXIST if there is one. */
async function putNew(path: string, text: string): Promise<void> {
  const own = `${path}.${randomUUID()}`;
  await writeFile(own, text, { mode: 0o600 });
  try {
    await link(own, path);
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes a dead holder's file, unless somebody else has done so and holds the lock now. */
async function takeAway(path: string, dead: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return true;
  }
  const taken = await readFile(aside, "utf8");
  if (taken !== dead) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
  return taken === dead;
}

async function isAlive(text: string): Promise<boolean> {
  let holder: Holder;
  try {
    holder = JSON.parse(text) as Holder;
    process.kill(holder.pid, 0);
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === "EPERM";
  }
  return holder.began === (await began(holder.pid));
}

/** Field 22 of /proc/<pid>/stat: clock ticks from boot to the start of the process. */
async function began(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
