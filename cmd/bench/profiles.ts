import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { CACHE, ROOT } from "./folders.ts";
import { type Profile, profileText } from "./profile.ts";

/** Functions that are listed. */
const TOP = 25;

/** Profiles that are kept; each has some megabytes. */
const KEPT = 12;

/**
 * Writes a profile of a measured window to a .cpuprofile file, which Chrome's developer tools open, and says on stderr
 * what it shows. `done`: units of work in the window, by which times are divided.
 */
export async function keepProfile(scenario: string, taken: unknown, done: number): Promise<void> {
  const folder = join(CACHE, "profiles");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${scenario}-${Date.now()}.cpuprofile`);
  await writeFile(path, JSON.stringify(taken));
  await prune(folder);
  process.stderr.write(profileText(taken as Profile, { top: TOP, units: done }));
  process.stderr.write(`the profile is in ${relative(ROOT, path)}\n`);
}

/** Removes the oldest ones. Their names end with the moment. */
async function prune(folder: string): Promise<void> {
  const momentOf = (name: string) => Number(/(\d+)\.cpuprofile$/.exec(name)?.[1] ?? 0);
  const names = (await readdir(folder)).sort((a, b) => momentOf(b) - momentOf(a));
  for (const name of names.slice(KEPT)) await rm(join(folder, name));
}
