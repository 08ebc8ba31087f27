import { open, rm, stat, utimes } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

const TOUCH_EVERY_MS = 2_000;
/** Nobody has touched it for so long: who made it is gone. */
const STALE_AFTER_MS = 20_000;
const LOOK_EVERY_MS = 250;

/**
 * Waits until no other process holds the file, and takes it; `waiting` is called once if that is not at once. The holder
 * touches it while it lives: the id of a process would say nothing in another container. It saves doubled work and no
 * more: two may hold it after one was paused, so what they do must bear it. Returns what gives it back.
 */
export async function lockFile(path: string, waiting: () => void): Promise<() => Promise<void>> {
  let hasSaid = false;
  while (!(await makeAlone(path))) {
    if (await isStale(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (!hasSaid) waiting();
    hasSaid = true;
    await delay(LOOK_EVERY_MS);
  }
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, TOUCH_EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await rm(path, { force: true });
  };
}

async function makeAlone(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx")).close();
    return true;
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw fault;
  }
}

async function isStale(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > STALE_AFTER_MS;
}
