import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CACHE } from "../folders.ts";

/** Folders that hold what is on the disk during a run: `run-<process id>-<random>`. */
const SCRATCH = /^run-(\d+)-/;

/**
 * A fresh folder on the disk of this checkout, to be removed by its caller. Those of runs that were killed
 * are removed here.
 */
export async function scratchFolder(parent = CACHE): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const pid = Number(SCRATCH.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true });
  }
  return await mkdtemp(join(parent, `run-${process.pid}-`));
}

/** Of another user counts as gone: such folders cannot be removed anyway, and `rm` says so. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
