import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { cacheFolder } from "../../base/cache-folder.ts";
import { lockFile } from "./lock-file.ts";

const underWay = new Map<string, Promise<string>>();

/**
 * A folder of the cache, filled by `fill` if `witness` is not in it. The name has the version of what it holds.
 * It is filled under another name and renamed when complete, so that an interrupted run leaves nothing half-built in its
 * place. Of two processes at once one fills it, the other waits for it, `waiting` called; should both fill it, the first to
 * finish wins, and both return a complete folder.
 */
export function cached(
  name: string,
  witness: string,
  fill: (target: string) => Promise<void>,
  waiting: () => void = () => {},
): Promise<string> {
  const folder = join(cacheFolder(), name);
  const running = underWay.get(folder);
  if (running) return running;
  const filled = fillOnce(folder, witness, fill, waiting).finally(() => underWay.delete(folder));
  underWay.set(folder, filled);
  return filled;
}

async function fillOnce(
  folder: string,
  witness: string,
  fill: (target: string) => Promise<void>,
  waiting: () => void,
): Promise<string> {
  const complete = () => existsSync(join(folder, witness));
  if (complete()) return folder;
  await mkdir(cacheFolder(), { recursive: true });
  const unlock = await lockFile(`${folder}.lock`, waiting);
  const target = `${folder}.part-${randomUUID()}`;
  try {
    if (complete()) return folder;
    await mkdir(target);
    await fill(target);
    if (!existsSync(join(target, witness)))
      throw new Error(`${basename(folder)} was built without ${witness}`);
    // Without its witness (the machine's Python was replaced, say) an old folder would stand in the way.
    if (!complete()) await rm(folder, { recursive: true, force: true });
    await rename(target, folder);
  } catch (error) {
    if (!complete()) throw error;
  } finally {
    await rm(target, { recursive: true, force: true });
    await unlock();
  }
  return folder;
}
