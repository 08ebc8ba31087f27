import { randomBytes, randomInt } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type History, MAX_LOG_EPOCH } from "../base/history.ts";
import { fromHex } from "../base/ids.ts";
import { DataFolderError } from "../store/data-folder-error.ts";

/**
 * The identity of this start's data: the deployment's id is kept in the file `idPath`, made the first time, and a log
 * epoch begins. Call it once the folder is this process's own. Rejects with DataFolderError.
 */
export async function beginHistory(idPath: string): Promise<History> {
  const id = (await readId(idPath)) ?? (await makeId(idPath));
  return { deploymentId: fromHex(id), logEpoch: randomInt(1, MAX_LOG_EPOCH) };
}

/** Of a removal of the id. */
const EFFECT = "the next start makes another, and clients drop what they hold and fetch it again";

/** Undefined if there is none. Of one that cannot be read no other is made: clients would drop all that they hold. */
export async function readId(idPath: string): Promise<string | undefined> {
  const known = await readFile(idPath, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw DataFolderError.unusable(idPath, error);
  });
  if (known === undefined) return undefined;
  if (!/^[0-9a-f]{32}\n$/.test(known))
    throw DataFolderError.damagedSmall(idPath, new Error("not an id"), EFFECT);
  return known.trim();
}

/** Whole or not there, and durable before anybody is told of it. */
async function makeId(idPath: string): Promise<string> {
  const id = randomBytes(16).toString("hex");
  try {
    const file = await open(`${idPath}.new`, "w", 0o600);
    await file.writeFile(`${id}\n`);
    await file.sync();
    await file.close();
    await rename(`${idPath}.new`, idPath);
    const folder = await open(dirname(idPath), "r");
    await folder.sync().finally(() => folder.close());
    return id;
  } catch (error) {
    throw DataFolderError.unusable(idPath, error);
  }
}
