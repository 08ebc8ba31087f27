import type { Span } from "../base/group.ts";
import type { Head } from "../base/head.ts";
import { storeUnavailable, threadNotFound } from "../base/heddle-error.ts";
import type { Judging } from "./group/judging.ts";
import type { Range, View } from "./group/membership.ts";
import { MAX_HEAD_READS } from "./limits.ts";
import type { ThreadLog } from "./log/thread-log.ts";
import type { ThreadLogs } from "./log/thread-logs.ts";
import type { Views } from "./log/views.ts";
import type { Threads } from "./ports.ts";

/** A group as of a head, for push servers. */
export interface Membership {
  readonly seq: number;
  readonly ordinal: number;
  readonly membersSeq: number;
  readonly isLarge: boolean;
  /** Of those asked for, who is a member, with the first entry that each sees. */
  readonly joined: ReadonlyMap<string, number>;
}

export interface ReaderPorts {
  readonly logs: ThreadLogs;
  readonly views: Views;
  readonly judging: Judging;
  readonly threads: Threads;
}

/**
 * Reads how far a thread goes, and how much of it a user may see. In a group: the head first, then a roster that is no
 * older, then, for who is no member, the user's row (docs/design.md, section 7, Membership in order).
 */
export class ThreadReader {
  readonly #ports: ReaderPorts;

  constructor(ports: ReaderPorts) {
    this.#ports = ports;
  }

  /** A head read from the store now, and of a group the view as of it. */
  async head(log: ThreadLog): Promise<{ readonly head: Head; readonly view: View | undefined }> {
    const { views } = this.#ports;
    return log.isGroup ? views.read(log) : { head: await views.readHead(log), view: undefined };
  }

  /** A head read from the store now, and whether the user may send as of it. */
  async standing(
    log: ThreadLog,
    userId: string,
  ): Promise<{ readonly head: Head; readonly maySend: boolean }> {
    const { judging, views } = this.#ports;
    const { head, view } = await views.read(log);
    return { head, maySend: !judging.refusal(log.membership, view, { kind: "message", userId }) };
  }

  /** What the user may see now, of its last span of membership. Rejects with THREAD_NOT_FOUND for who never was a member. */
  async range(log: ThreadLog, userId: string): Promise<Range> {
    for (let read = 0; read < MAX_HEAD_READS; read++) {
      const { head, view } = await this.head(log);
      if (!view) return { firstSeq: 1, last: head, hasLeft: false };
      const member = view.roster.members.get(userId);
      if (member) return { firstSeq: member.joinedSeq, last: head, hasLeft: false };
      const row = await this.#ports.threads.view(log.threadId, userId);
      if (!row) throw threadNotFound();
      const { joinedSeq, leftSeq, leftOrdinal = 0 } = row;
      // A row that knows more than the head came after it.
      if (leftSeq === undefined || leftSeq > head.seq) continue;
      return { firstSeq: joinedSeq, last: { seq: leftSeq, ordinal: leftOrdinal }, hasLeft: true };
    }
    throw storeUnavailable("thread");
  }

  /** The user's spans of membership before the one of its `range` that begins at `firstSeq`, ascending. */
  async earlierSpans(log: ThreadLog, userId: string, firstSeq: number): Promise<readonly Span[]> {
    // Nobody comes before the first entry.
    if (firstSeq <= 1) return [];
    const row = await this.#ports.threads.view(log.threadId, userId);
    // The row may know of a later coming than the range: what is above that began after it.
    return row?.earlier.filter((span) => span.firstSeq < firstSeq) ?? [];
  }

  /** The `range` where `seq` is within it for certain: by what this server knows, if that is enough, else read now. */
  reachableRange(log: ThreadLog, userId: string, seq: number): Range | Promise<Range> {
    const { view } = log.membership;
    const head = log.cache.found?.head;
    const member = view?.roster.members.get(userId);
    const knows = member && head && head.membersSeq === view?.membersSeq && seq <= head.seq;
    return knows ? { firstSeq: member.joinedSeq, last: head, hasLeft: false } : this.range(log, userId);
  }

  /** Who of `userIds` is a member as of a head read now. Rejects with THREAD_NOT_FOUND if there is no such group. */
  async membership(threadId: Uint8Array, userIds: readonly string[]): Promise<Membership> {
    const log = this.#ports.logs.bare(threadId);
    const { head, view } = await this.head(log);
    if (!view || head.membersSeq === 0) throw threadNotFound();
    const joined = new Map<string, number>();
    for (const userId of userIds) {
      const member = view.roster.members.get(userId);
      if (member) joined.set(userId, member.joinedSeq);
    }
    const { seq, ordinal, membersSeq } = head;
    return { seq, ordinal, membersSeq, isLarge: view.roster.isLarge, joined };
  }
}
