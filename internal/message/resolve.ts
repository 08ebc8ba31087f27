import type { Clock } from "../base/clock.ts";
import { selfThread } from "../base/heddle-error.ts";
import { directThreadId } from "../base/thread-id.ts";
import { VOID_BODY } from "./cells/entry-cell.ts";
import { sendTag, tagKey } from "./cells/send-tag.ts";
import type { Appender } from "./log/appender.ts";
import type { StoreSearch } from "./log/duplicate-search.ts";
import { baseBeyondHead } from "./log/refusals.ts";
import type { ThreadLog } from "./log/thread-log.ts";
import type { ThreadLogs } from "./log/thread-logs.ts";
import type { Committed } from "./log/verdict.ts";
import type { ThreadReader } from "./thread-reader.ts";

/** Which send to look for. */
export interface Inquiry {
  readonly userId: string;
  /** 16 bytes, or undefined with toUserId. */
  readonly threadId: Uint8Array | undefined;
  readonly toUserId: string;
  readonly clientId: Uint8Array;
  readonly baseSeq: number;
  readonly seal: boolean;
}

/** A send, or its void (isVoid), that is in the log; or "unknown". */
export type Resolution = Committed | "unknown";

export interface ResolverPorts {
  readonly logs: ThreadLogs;
  readonly reader: ThreadReader;
  readonly search: StoreSearch;
  readonly appender: Appender;
  readonly clock: Clock;
  /** How long a seal may wait to be appended, in ms. */
  readonly expiresMs: number;
}

/** Answers what became of a send, and makes sure of it with a seal (docs/design.md, sections 2.4 and 5, Seal). */
export class Resolver {
  readonly #ports: ResolverPorts;

  constructor(ports: ResolverPorts) {
    this.#ports = ports;
  }

  /** Rejects with THREAD_NOT_FOUND for whoever never was a member, with SELF_THREAD, and with BASE_BEYOND_HEAD. */
  async resolve(inquiry: Inquiry): Promise<Resolution> {
    const log = await this.#open(inquiry);
    if (!log) return "unknown";
    const { reader, search, appender } = this.#ports;
    // One who left has held nothing above its last entry; its voids stand above that all the same.
    const { last } = await reader.range(log, inquiry.userId);
    if (inquiry.baseSeq > last.seq) throw baseBeyondHead(last.seq);
    const head = log.isGroup ? (await reader.head(log)).head : last;
    const tag = sendTag(inquiry.userId, inquiry.clientId);
    const identity = { userId: inquiry.userId, clientId: inquiry.clientId, tagKey: tagKey(tag) };
    const hit = await search.range(log.threadId, identity, inquiry.baseSeq + 1, head.seq);
    if (hit) return appender.answerFound(log, hit, "");
    return inquiry.seal ? this.#seal(log, inquiry, tag, head.seq) : "unknown";
  }

  /** A direct thread that is not there holds nothing; to seal there, its rows come first, as before any append. */
  async #open({ threadId, userId, toUserId, seal }: Inquiry): Promise<ThreadLog | undefined> {
    const { logs } = this.#ports;
    if (threadId) return logs.open(threadId, userId);
    if (toUserId === userId) throw selfThread();
    if (seal) return logs.openDirect(userId, toUserId);
    return logs.find(directThreadId(userId, toUserId), userId);
  }

  /** Appends a void. Its own duplicate search covers what came above the head up to which we looked. */
  #seal(log: ThreadLog, inquiry: Inquiry, tag: Uint8Array, searchedSeq: number): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.#ports.appender.append(log, {
        kind: "void",
        userId: inquiry.userId,
        clientId: inquiry.clientId,
        tag,
        tagKey: tagKey(tag),
        baseSeq: inquiry.baseSeq,
        searchedSeq,
        attempt: 0,
        body: VOID_BODY,
        originSession: "",
        expiresAtMs: this.#ports.clock.monotonicMs() + this.#ports.expiresMs,
        tried: false,
        settle: (verdict) => (verdict instanceof Error ? reject(verdict) : resolve(verdict)),
      });
    });
  }
}
