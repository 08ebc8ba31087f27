import type { Clock } from "../base/clock.ts";
import { selfThread, storeUnavailable } from "../base/heddle-error.ts";
import { directThreadId, isGroupThread } from "../base/thread-id.ts";
import { voidBody } from "./cells/entry-cell.ts";
import { sendTag, tagKey } from "./cells/send-tag.ts";
import type { LateTries } from "./late-tries.ts";
import type { Appender } from "./log/appender.ts";
import type { StoreSearch } from "./log/duplicate-search.ts";
import { baseBeyondHead } from "./log/refusals.ts";
import type { ThreadLog } from "./log/thread-log.ts";
import type { ThreadLogs } from "./log/thread-logs.ts";
import type { Committed } from "./log/verdict.ts";
import type { Seals } from "./seals.ts";
import type { Sender } from "./sender.ts";
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

/**
 * A send, or its void (isVoid), that is in the log; "unknown"; or "never": it is not in the log and can no longer
 * commit, and the asker is not told where its void is, if there is one.
 */
export type Resolution = Committed | "unknown" | "never";

export interface ResolverPorts {
  readonly logs: ThreadLogs;
  readonly reader: ThreadReader;
  readonly search: StoreSearch;
  readonly appender: Appender;
  readonly seals: Pick<Seals, "countSeal">;
  readonly tries: Pick<Sender, "settled">;
  /** Of other servers; without it there are none. */
  readonly lateTries?: LateTries | undefined;
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

  /**
   * Rejects with THREAD_NOT_FOUND for one who never was a member, but of a seal in a group; with SELF_THREAD,
   * BASE_BEYOND_HEAD and TOO_MANY_SEALS.
   */
  async resolve(inquiry: Inquiry): Promise<Resolution> {
    const log = await this.#open(inquiry);
    if (log === "unknown" || log === "never") return log;
    const { userId, clientId, baseSeq, seal } = inquiry;
    const { reader, search, appender, seals } = this.#ports;
    // One who left has held nothing above its last entry; its voids stand above that all the same.
    const { last, hasLeft } = await reader.range(log, userId);
    if (baseSeq > last.seq) throw baseBeyondHead(last.seq);
    const { head, maySend } = await reader.standing(log, userId);
    const tag = sendTag(userId, clientId);
    const hit = await search.range(
      log.threadId,
      { userId, clientId, tagKey: tagKey(tag) },
      baseSeq + 1,
      head.seq,
    );
    if (!hit && !seal) return "unknown";
    if (!hit && !maySend) await seals.countSeal(log.threadId, userId, tag);
    const found = await (hit ? appender.answerFound(log, hit, "") : this.#seal(log, inquiry, tag, head.seq));
    const isOut = hasLeft || (log.isGroup && !log.membership.view?.roster.members.has(userId));
    return found.isVoid && isOut ? "never" : found;
  }

  /** A direct thread that is not there holds nothing; to seal there, its rows come first, as before any append. */
  async #open({
    threadId,
    userId,
    toUserId,
    clientId,
    seal,
  }: Inquiry): Promise<ThreadLog | "unknown" | "never"> {
    const { logs, tries, lateTries } = this.#ports;
    if (!threadId) {
      if (toUserId === userId) throw selfThread();
      if (seal) return logs.openDirect(userId, toUserId);
      return (await logs.findLog(directThreadId(userId, toUserId), userId)) ?? "unknown";
    }
    if (!seal || !isGroupThread(threadId)) return logs.open(threadId, userId);
    // Nothing of one who never was a member is in a group's log. A try that is open may still be let in meanwhile.
    const known = await logs.findLog(threadId, userId);
    if (known) return known;
    await tries.settled(userId, clientId);
    const areOver = lateTries?.areOver(userId, clientId) ?? true;
    const late = await logs.findLog(threadId, userId);
    if (!late && !areOver) throw storeUnavailable("message"); // Outcome unknown: asked again, it is known in the end.
    return late ?? "never";
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
        body: voidBody(inquiry.userId, inquiry.clientId),
        originSession: "",
        expiresAtMs: this.#ports.clock.monotonicMs() + this.#ports.expiresMs,
        tried: false,
        settle: (verdict) => (verdict instanceof Error ? reject(verdict) : resolve(verdict)),
      });
    });
  }
}
