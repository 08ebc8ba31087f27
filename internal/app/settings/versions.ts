import { readFileSync } from "node:fs";
import { join } from "node:path";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8")) as {
  version: string;
};

/** The program's version, from package.json. */
export const PROGRAM_VERSION = version;

/** The contract's: every package of proto/heddle ends with it. A breaking change would need the next one beside it. */
export const CONTRACT_VERSION = "v1";

/**
 * The data folder's: raised when an older program must not open what this one writes. Folders from before versions
 * were noted are 0. A newer program opens every older folder and brings it up to date.
 */
export const DATA_VERSION = 1;

/** All three in one line, for people. */
export function versionLine(): string {
  return `heddle ${PROGRAM_VERSION}, contract ${CONTRACT_VERSION}, data folder ${DATA_VERSION}, node ${process.versions.node}`;
}
