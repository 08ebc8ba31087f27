import { dirname } from "node:path";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { isLocked, lockFile } from "../../store/sqlite/file-lock.ts";
import type { DataFolder } from "./data-folder.ts";

/**
 * Keeps everybody else out of a data folder until the returned function is called, or this process ends. A repair takes
 * files away and puts others in their place, so the locks of the stores are not enough. Throws DataFolderError where
 * another repair runs.
 */
export function holdForRepair({ repairLock }: Pick<DataFolder, "repairLock">): () => void {
  try {
    return lockFile(repairLock);
  } catch (error) {
    throw isLocked(repairLock) ? repairing(repairLock) : error;
  }
}

/** Throws DataFolderError while the folder is repaired. Whatever opens files of a data folder calls it first. */
export function refuseRepairing({ repairLock }: Pick<DataFolder, "repairLock">): void {
  if (isLocked(repairLock)) throw repairing(repairLock);
}

function repairing(lock: string): DataFolderError {
  const text = `${dirname(lock)} is being repaired: wait until bin/heddle admin repair has ended`;
  return new DataFolderError(lock, text);
}
