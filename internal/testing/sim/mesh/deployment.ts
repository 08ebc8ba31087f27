import type { History } from "../../../base/history.ts";
import type { SightRule } from "../../../presence/sight.ts";

/** The logs are the same from the first process to the last. */
export const HISTORY: History = { deploymentId: new Uint8Array(16).fill(7), logEpoch: 1 };

export const SIGHT_RULE: SightRule = "shared-thread";
