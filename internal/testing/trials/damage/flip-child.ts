import { writeSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../base/clock.ts";
import { DataFolderError } from "../../../store/data-folder-error.ts";
import { LevelMessageStore } from "../../../store/level/level-message-store.ts";

// A process of its own, for a flipped bit may end it: messages folder, file's name, how many positions, up to how many
// bytes tables are looked at whole in any case. Prints a line before each try, what came of it if it was opened, and one
// line when all were tried.
const [source = "", name = "", times = "1", wholeLookBytes] = process.argv.slice(2);
const limit = wholeLookBytes === undefined ? {} : { wholeLookBytes: Number(wholeLookBytes) };
const bytes = await readFile(join(source, name));
const path = `${source}.flipped`;
let isFresh = false;
for (let nth = 0; nth < Number(times); nth++) {
  const at = Math.floor((bytes.length * nth) / Number(times));
  if (!isFresh) {
    await rm(path, { recursive: true, force: true });
    await cp(source, path, { recursive: true });
  }
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (nth % 8));
  await writeFile(join(path, name), flipped);
  writeSync(1, `bit ${nth % 8} of byte ${at}\n`);
  isFresh = await isRefused();
}
writeSync(1, "tried all\n");

/** Whether the store is refused, and so left as it is; else every row of it is read. */
async function isRefused(): Promise<boolean> {
  let store: LevelMessageStore | undefined;
  try {
    store = await LevelMessageStore.open({ path, clock: systemClock, ...limit });
    for await (const _ of store.rows());
  } catch (error) {
    if (!store && error instanceof DataFolderError) return true;
    writeSync(1, `opened, then ${String(error)}\n`);
  } finally {
    await store?.close();
  }
  writeSync(1, "opened\n");
  return false;
}
