import { isLogDamaged } from "../base/heddle-error.ts";
import { entryNameBytes, type History } from "../base/history.ts";
import { equalBytes } from "../base/ids.ts";
import { sha256 } from "../base/sha256.ts";
import { decodeCell } from "./cells/entry-cell.ts";
import type { LogStore } from "./cells/log-store.ts";
import type { ThreadLogs } from "./log/thread-logs.ts";
import type { ThreadReader } from "./thread-reader.ts";

/** What a client holds of a thread. */
export interface Held {
  /** 16 bytes. */
  readonly threadId: Uint8Array;
  /** Of the highest entry that it holds; 0 for none. */
  readonly seq: number;
  /** Of that entry; see entryNameBytes. */
  readonly entryHash: Uint8Array;
}

/** Whether the log holds that entry; the head as far as the user may see, or undefined for a thread of others. */
export interface Compared {
  readonly isSame: boolean;
  readonly head: { readonly seq: number; readonly ordinal: number } | undefined;
  /** The log cannot be read: nothing was compared. */
  readonly isDamaged?: boolean;
}

export interface ComparisonPorts {
  readonly logs: ThreadLogs;
  readonly reader: ThreadReader;
  readonly store: LogStore;
  readonly history: History;
}

/**
 * Compares what clients hold with the log, after it may have been put back (docs/design.md, section 5, Identity). A log
 * is only ever appended to or cut, so one entry that is the same proves all below it.
 */
export class Comparison {
  readonly #ports: ComparisonPorts;

  constructor(ports: ComparisonPorts) {
    this.#ports = ports;
  }

  /** The epoch of the logs that are compared with. */
  get logEpoch(): number {
    return this.#ports.history.logEpoch;
  }

  /**
   * Rejects as the stores do. An entry that is lost is another: who holds it begins anew, and is shown what all others
   * are. One log that cannot be read at all keeps no other from being compared. Who names an entry by its hash has seen
   * it, in its last stay in a group or in an earlier one: only where the user's view ends is asked.
   */
  async compare(userId: string, { threadId, seq, entryHash }: Held): Promise<Compared> {
    const { logs, reader } = this.#ports;
    const log = await logs.findLog(threadId, userId);
    if (!log) return { isSame: false, head: undefined };
    const range = await unlessDamaged(reader.range(log, userId));
    if (!range) return { isSame: false, head: undefined, isDamaged: true };
    const { last } = range;
    const head = { seq: last.seq, ordinal: last.ordinal };
    if (seq === 0) return { isSame: true, head };
    const value = seq > last.seq ? undefined : await unlessDamaged(this.#ports.store.cell(threadId, seq));
    if (!value) return { isSame: false, head };
    const { sender, clientId, baseSeq, ordinal, createdAtMs } = decodeCell(value);
    const name = {
      ...{ seq, sender, clientId },
      ...{ baseSeq: Number(baseSeq), ordinal: Number(ordinal), createdAtMs: Number(createdAtMs) },
    };
    return { isSame: equalBytes(sha256(entryNameBytes(threadId, name), 32), entryHash), head };
  }
}

async function unlessDamaged<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isLogDamaged(error)) return undefined;
    throw error;
  }
}
