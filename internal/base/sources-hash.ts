import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Files of a folder and of the folders in it. */
export interface Sources {
  readonly folder: string;
  /** How the names of the files end, such as ".proto"; "" for all files. */
  readonly ending: string;
}

/**
 * Names a state of sources, for what is built from them and kept: 16 hex digits of a SHA-256 over the paths below `root`
 * and the bytes of the files. Equal in every checkout, wherever it lies. Rejects if a folder or file cannot be read.
 */
export async function sourcesHash(root: string, all: readonly Sources[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { folder, ending } of all) {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = found.filter((file) => file.isFile() && file.name.endsWith(ending));
    for (const path of files.map(({ parentPath, name }) => join(parentPath, name)).sort())
      hash.update(`\0${relative(root, path)}\0`).update(await readFile(path));
  }
  return hash.digest("hex").slice(0, 16);
}
