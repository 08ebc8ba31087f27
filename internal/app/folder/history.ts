import { randomBytes, randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type History, MAX_LOG_EPOCH } from "../../base/history.ts";
import { fromHex, hex } from "../../base/ids.ts";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { DatabaseError } from "../../store/database-error.ts";
import { type DataFolder, readNote, writeNote, writeWhole } from "./data-folder.ts";

/** Where the deployment's id stands, and its copy. */
type IdPlaces = Pick<DataFolder, "deploymentId" | "version">;

/** What another id means. */
const ANOTHER = "the next start makes another id, and clients drop what they hold and fetch it again";

/**
 * The identity of this start's data: the deployment's id is kept in a file, made the first time, with a copy in
 * version.json; and a log epoch begins. Call it once the folder is this process's own, after refuseUnnamed. `remark` says
 * what was done about an id that was not there. Rejects with DataFolderError.
 */
export async function beginHistory(
  folder: IdPlaces,
): Promise<{ readonly history: History; readonly remark: string | undefined }> {
  const copy = await readCopy(folder);
  const stored = await readId(folder, copy);
  const id = stored ?? (copy || randomBytes(16).toString("hex"));
  try {
    if (!stored) await writeWhole(folder.deploymentId, `${id}\n`);
    if (copy !== id) await writeNote(folder.version, id);
  } catch (error) {
    throw DataFolderError.unusable(folder.deploymentId, error);
  }
  const history = { deploymentId: fromHex(id), logEpoch: randomInt(1, MAX_LOG_EPOCH) };
  if (stored) return { history, remark: undefined };
  const remark = copy
    ? "deployment-id was missing: it is put back from its copy in version.json"
    : "there was no deployment-id: one is made, and clients that know of another fetch all anew";
  return { history, remark };
}

/** A database, as the one that knows the deployment's id. */
export interface DeploymentIds {
  /** The id of the deployment whose data it has: `mine` where there was none, if one is given. Undefined without any. */
  deployment(mine?: Uint8Array): Promise<Uint8Array | undefined>;
}

/**
 * As beginHistory, for rows and messages in a database: that has the id, and the folder a copy, so that keys and data of
 * two deployments are never mixed. Rejects with DataFolderError or DatabaseError.
 */
export async function joinHistory(folder: IdPlaces, database: DeploymentIds): Promise<History> {
  const copy = await readCopy(folder);
  const known = (await readId(folder, copy)) ?? (copy || undefined);
  const found = await database.deployment(known === undefined ? randomBytes(16) : undefined);
  if (known !== undefined && (!found || hex(found) !== known)) throw otherDatabase(folder, known, found);
  if (!found) throw new Error("the database did not keep the deployment's id");
  const id = hex(found);
  try {
    if (known === undefined || !existsSync(folder.deploymentId))
      await writeWhole(folder.deploymentId, `${id}\n`);
    await writeNote(folder.version, id, "postgres");
  } catch (error) {
    throw DataFolderError.unusable(folder.deploymentId, error);
  }
  return { deploymentId: found, logEpoch: randomInt(1, MAX_LOG_EPOCH) };
}

function otherDatabase({ deploymentId }: IdPlaces, known: string, found: Uint8Array | undefined) {
  const what = found ? `is of deployment ${hex(found)}` : "has no data";
  return new DatabaseError(
    `the database ${what}, and ${deploymentId} says ${known}: name that one's in HEDDLE_DATABASE_URL, put it back from ` +
      "a backup, or set HEDDLE_DATA_DIR to a new folder to serve this one",
  );
}

/**
 * Refuses data whose id is missing, where an id was made once and no copy is left: another would make clients drop all
 * that they hold. Also an id that is another than its copy says. Before a store is opened. Rejects with DataFolderError.
 */
export async function refuseUnnamed(folder: IdPlaces & Pick<DataFolder, "messages">): Promise<void> {
  const { deploymentId: path, version, messages } = folder;
  const copy = await readCopy(folder);
  if ((await readId(folder, copy)) !== undefined || copy !== undefined || !existsSync(messages)) return;
  const mend = `put it back from a backup; where there is none, remove ${version}: ${ANOTHER}`;
  throw new DataFolderError(path, `${path} is missing, and the messages are there: ${mend}`);
}

/**
 * Undefined if there is none. Of one that cannot be read, or is not that of `copy`, no other is made: clients would drop
 * all that they hold.
 */
export async function readId(
  { deploymentId: path, version }: IdPlaces,
  copy: string | undefined,
): Promise<string | undefined> {
  const known = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw DataFolderError.unusable(path, error);
  });
  if (known === undefined) return undefined;
  const effect = copy
    ? `the next start puts its copy in ${version} in its place`
    : `${ANOTHER} (remove ${version} too)`;
  const isId = /^[0-9a-f]{32}\n$/.test(known);
  if (!isId) throw DataFolderError.damagedSmall(path, new Error("not an id"), effect);
  if (copy && copy !== known.trim()) {
    const why = "not the id of which version.json has a copy";
    throw DataFolderError.damagedSmall(path, new Error(why), effect);
  }
  return known.trim();
}

async function readCopy({ version }: IdPlaces): Promise<string | undefined> {
  return (await readNote(dirname(version)))?.deployment;
}
