import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder, and those above it, where they are missing: by default this user alone may enter. Rejects as mkdir(2)
 * does.
 * Folders that a person names are made by it, and not by mkdir's `recursive` of Node, which spins for ever where a
 * folder is there and takes no other (ENOENT below /proc).
 */
export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  try {
    await makeOne(path, mode);
  } catch (fault) {
    const parent = dirname(path);
    if ((fault as NodeJS.ErrnoException).code !== "ENOENT" || parent === path || (await isFolder(parent)))
      throw fault;
    await makeFolder(parent, mode);
    await makeOne(path, mode);
  }
}

async function makeOne(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== "EEXIST" || !(await isFolder(path))) throw fault;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
