import { type GroupChange, MAX_LARGE_GROUPS, MAX_SPANS } from "../../base/group.ts";
import type { Head } from "../../base/head.ts";
import { blocked, type HeddleError, storeUnavailable, threadNotFound } from "../../base/heddle-error.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import { THREADS_DEADLINE_MS } from "../limits.ts";
import type { Blocks, Groups, LargeGroups } from "../ports.ts";
import type { Membership, View } from "./membership.ts";
import { tooManyLargeGroups, tooManySpans } from "./refusals.ts";
import { type Draft, judgeChange } from "./roster.ts";
import type { RosterLoader } from "./roster-loader.ts";

const NOBODY: readonly string[] = [];

/** What of a send is judged. */
export interface JudgedSend {
  readonly kind: "message" | "void" | "change";
  readonly userId: string;
}

export interface JudgingPorts {
  readonly rosters: RosterLoader;
  readonly groups: Groups;
  readonly blocks: Blocks;
  readonly largeGroups: LargeGroups;
  readonly deadlines: Deadlines;
}

/**
 * Who may send, and what a change of a group comes to, as of the very head that the check names (docs/design.md,
 * section 5, Judged at H). What is loaded is loaded after the head was read, and kept for every head with the same
 * members_seq and epoch.
 */
export class Judging {
  readonly #ports: JudgingPorts;

  constructor(ports: JudgingPorts) {
    this.#ports = ports;
  }

  /** The view as of a head, if it is remembered. */
  known({ view }: Membership, head: Head): View | undefined {
    return view && view.membersSeq === head.membersSeq && view.epoch === head.epoch ? view : undefined;
  }

  /** The view as of a head that was read before. Undefined if that head is old: read it again. */
  async at(thread: Membership, head: Head): Promise<View | undefined> {
    if (thread.isGroup) {
      const roster = await this.#ports.rosters.at(thread, head);
      return roster && { membersSeq: head.membersSeq, epoch: head.epoch, roster, blockedBy: NOBODY };
    }
    // Also where the epoch was never raised: a message store that was put back may be older than the blocks.
    return thread.takeBlocks(head, await this.#between(thread));
  }

  /** Why a send of a body is not appended. Voids pass: one who was let in may seal. */
  refusal(thread: Membership, view: View, send: JudgedSend): HeddleError | undefined {
    if (send.kind === "void") return undefined;
    if (thread.isGroup) return view.roster.members.has(send.userId) ? undefined : threadNotFound();
    if (view.blockedBy.length === 0) return undefined;
    const [other = ""] = thread.participants.filter((user) => user !== send.userId);
    return blocked(other, view.blockedBy.includes(send.userId) ? "self" : "other");
  }

  /** What a change comes to; undefined if nothing would be different. Rejects with the refusal. */
  async draft(
    threadId: Uint8Array,
    view: View,
    userId: string,
    change: GroupChange,
  ): Promise<Draft | undefined> {
    const draft = judgeChange(view.roster, userId, change);
    const added = draft?.added.map((member) => member.userId) ?? [];
    if (added.length > 0) await this.#refuseBlocked(userId, added);
    if (added.length > 0 && view.roster.appliedSeq > 0) await this.#limitSpans(threadId, added);
    if (draft?.isLarge && added.length > 0) await this.#limitLargeGroups(added);
    return draft;
  }

  /** The seq of the entry that a change's earlier try made, as far as projected. */
  earlier(threadId: Uint8Array, userId: string, requestId: Uint8Array): Promise<number | undefined> {
    return this.#inTime(this.#ports.groups.changeSeq(threadId, userId, requestId));
  }

  /** Nobody is brought into a group by one who has a block with them. */
  async #refuseBlocked(userId: string, added: readonly string[]): Promise<void> {
    const others = added.filter((other) => other !== userId);
    const block = await this.#inTime(this.#ports.blocks.find(userId, others));
    if (!block) return;
    throw block.ownerId === userId ? blocked(block.otherUserId, "self") : blocked(block.ownerId, "other");
  }

  /** Nobody comes and goes without end: each span is told with the row. */
  async #limitSpans(threadId: Uint8Array, userIds: readonly string[]): Promise<void> {
    const counts = await this.#inTime(this.#ports.groups.spanCounts(threadId, userIds));
    const full = userIds.find((userId) => (counts.get(userId) ?? 0) >= MAX_SPANS);
    if (full !== undefined) throw tooManySpans(full, MAX_SPANS);
  }

  async #limitLargeGroups(userIds: readonly string[]): Promise<void> {
    const counts = await this.#inTime(this.#ports.largeGroups.count(userIds));
    const full = userIds.find((userId) => (counts.get(userId) ?? 0) >= MAX_LARGE_GROUPS);
    if (full !== undefined) throw tooManyLargeGroups(full, MAX_LARGE_GROUPS);
  }

  #between(thread: Membership): Promise<readonly string[]> {
    const [a, b] = thread.participants;
    if (a === undefined || b === undefined) throw storeUnavailable("thread");
    return this.#inTime(this.#ports.blocks.between(a, b));
  }

  #inTime<T>(call: Promise<T>): Promise<T> {
    return this.#ports.deadlines.bound(call, THREADS_DEADLINE_MS, () => storeUnavailable("thread"));
  }
}
