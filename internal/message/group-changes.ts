import type { Clock } from "../base/clock.ts";
import type { GroupChange } from "../base/group.ts";
import { notAGroup } from "../base/heddle-error.ts";
import { groupThreadId } from "../base/thread-id.ts";
import { decodeCell } from "./cells/entry-cell.ts";
import { sendTag, tagKey } from "./cells/send-tag.ts";
import { encodeRequest, memberChangeOf } from "./group/member-entry.ts";
import type { Appender } from "./log/appender.ts";
import type { ThreadLog } from "./log/thread-log.ts";
import type { ThreadLogs } from "./log/thread-logs.ts";

/** What somebody asks of a group. */
export interface AskedChange {
  /** 16 bytes. Of a creation: made from `userId` and `requestId` (groupThreadId). */
  readonly threadId: Uint8Array;
  readonly userId: string;
  /** 16 bytes, the same in every repeat. */
  readonly requestId: Uint8Array;
  readonly change: GroupChange;
}

/** What came of it. */
export interface MadeChange {
  /** The entry that says it; 0 if nothing had to change. */
  readonly seq: number;
  /** Who is no member any more because of it. */
  readonly removed: readonly string[];
}

const UNCHANGED: MadeChange = { seq: 0, removed: [] };

export interface ChangePorts {
  readonly logs: ThreadLogs;
  readonly appender: Appender;
  readonly clock: Clock;
  /** How long a change may wait to be appended, in ms. */
  readonly expiresMs: number;
}

/** Takes changes of groups in: each becomes a member or setting entry, judged and appended like a send. */
export class GroupChanges {
  readonly #ports: ChangePorts;

  constructor(ports: ChangePorts) {
    this.#ports = ports;
  }

  /**
   * Resolves when the entry is in the log and has passed the gate; a repeat finds it again. Rejects with
   * THREAD_NOT_FOUND for one who is no member, NOT_A_GROUP, CLIENT_ID_REUSED, and what judgeChange and the limit on large
   * groups refuse; with UNAVAILABLE where the outcome is unknown: repeat it with the same request_id.
   */
  async change({ threadId, userId, requestId, change }: AskedChange): Promise<MadeChange> {
    const { logs } = this.#ports;
    if (change.kind === "create") {
      return this.#append(logs.bare(groupThreadId(userId, requestId)), userId, requestId, change);
    }
    const log = await logs.open(threadId, userId);
    if (!log.isGroup) throw notAGroup();
    return this.#append(log, userId, requestId, change);
  }

  #append(log: ThreadLog, userId: string, clientId: Uint8Array, wanted: GroupChange): Promise<MadeChange> {
    const { appender, clock, expiresMs } = this.#ports;
    const tag = sendTag(userId, clientId);
    return new Promise((resolve, reject) => {
      appender.append(log, {
        kind: "change",
        change: { wanted, unchanged: () => resolve(UNCHANGED) },
        userId,
        clientId,
        tag,
        tagKey: tagKey(tag),
        baseSeq: 0,
        // What the append cache does not know, the projection does: the log is not searched.
        searchedSeq: Number.MAX_SAFE_INTEGER,
        attempt: 0,
        body: encodeRequest(wanted),
        originSession: "",
        expiresAtMs: clock.monotonicMs() + expiresMs,
        tried: false,
        settle: (verdict) => {
          if (verdict instanceof Error) reject(verdict);
          else
            resolve({
              seq: verdict.seq,
              removed: memberChangeOf(decodeCell(verdict.cell).body)?.removed ?? [],
            });
        },
      });
    });
  }
}
