import assert from "node:assert/strict";
import type { GroupChange, Roster } from "../../../base/group.ts";
import { ErrorReason, HeddleError } from "../../../base/heddle-error.ts";
import { hex } from "../../../base/ids.ts";
import { inbox } from "../../../base/publication.ts";
import { groupThreadId } from "../../../base/thread-id.ts";
import { decodeCell } from "../../../message/cells/entry-cell.ts";
import { memberChangeOf, previousOf, rosterEntryOf } from "../../../message/group/member-entry.ts";
import { applyEntry, EMPTY_ROSTER, judgeChange } from "../../../message/group/roster.ts";
import { entryFrame } from "../../../wire/event-frames.ts";
import type { ServerParts } from "../append/append-server.ts";
import {
  expectKnown,
  inMemory,
  type LogEntry,
  type Post,
  ThreadWorld,
  type WorldStores,
} from "./thread-world.ts";

/** Wraps the parts of a server so that one mechanism of the design is missing. */
export type GroupVariant = (parts: ServerParts, world: GroupWorld) => ServerParts;

/** Of them ann and bob are in it from the start. */
export const MEMBERS = ["ann", "bob", "cid", "dee"] as const;
/** The request_id that makes the group, and its thread's id. */
const CREATION = new Uint8Array(16).fill(9);

/** A change of the group as its caller keeps it, with all that was ever answered. */
export interface Change {
  readonly userId: string;
  readonly requestId: Uint8Array;
  readonly change: GroupChange;
  /** Where the entry is, by each answer that said it. All must say the same. */
  readonly seqs: number[];
  /** Whether it was answered for good: with a seq, that nothing changes, or with a refusal. */
  done: boolean;
}

/** An answer that depends on who was in the group: right if it is so at some moment of the call. */
interface Answer {
  /** For a person who reads that it was wrong. */
  readonly what: string;
  /** The log's length, at least and at most, at moments of the call. */
  readonly from: number;
  readonly to: number;
  readonly isRight: (roster: Roster, length: number) => boolean;
}

/**
 * A group of four who come, go, get roles and rename it while they write (docs/design.md, section 5, Judged at H). What
 * is answered is judged against the log, replayed.
 */
export class GroupWorld extends ThreadWorld {
  readonly changes: Change[] = [];
  readonly answers: Answer[] = [];
  /** Sends that are sealed: a history without one has shown nothing of that. */
  sealed = 0;
  /** Entries that were acknowledged, and when: from then on who may see them must be told. */
  readonly #covered: { readonly seq: number; readonly tick: number }[] = [];
  readonly #variant: GroupVariant;

  constructor(
    bucketSize: number,
    variant: GroupVariant = (parts) => parts,
    stores: WorldStores = inMemory(),
  ) {
    super(bucketSize, groupThreadId("ann", CREATION), stores);
    this.#variant = variant;
  }

  /** Ann makes the group, with bob in it. */
  create(place: number): Promise<void> {
    const change: Change = {
      userId: "ann",
      requestId: CREATION,
      change: { kind: "create", name: "zero", userIds: ["bob"] },
      seqs: [],
      done: false,
    };
    this.changes.push(change);
    return this.ask(change, place);
  }

  /** A new change, not asked for yet. */
  composeChange(userId: string, change: GroupChange): Change {
    const requestId = new Uint8Array(16).fill(1);
    requestId[15] = this.changes.length;
    const asked = { userId, requestId, change, seqs: [], done: false };
    this.changes.push(asked);
    return asked;
  }

  /** Asks for a change, for the first time or again. */
  async ask(asked: Change, place: number): Promise<void> {
    const { userId, requestId, change } = asked;
    const from = this.acknowledged;
    const answer = (what: string, isRight: Answer["isRight"]) => {
      asked.done = true;
      this.answers.push({ what: `${change.kind} by ${userId}: ${what}`, from, to: this.headSeq, isRight });
    };
    try {
      const { seq } = await this.server(place).change({ threadId: this.threadId, userId, requestId, change });
      if (seq === 0) answer("nothing to do", (roster) => attempt(roster, userId, change) === undefined);
      else {
        asked.done = true;
        asked.seqs.push(seq);
        this.acknowledge(seq);
      }
    } catch (error) {
      expectKnown(error);
      const { reason } = error as HeddleError;
      if (reason === ErrorReason.STORE_UNAVAILABLE) return;
      answer(ErrorReason[reason], (roster) => attempt(roster, userId, change) === reason);
    }
  }

  /** Tries a send once. That there is no such thread must be right at some moment of the call. */
  async sendOnce(post: Post, place: number): Promise<void> {
    const from = this.acknowledged;
    const refusal = await this.send(post, place);
    if (refusal?.reason !== ErrorReason.THREAD_NOT_FOUND) return;
    const isRight = (roster: Roster) => !roster.members.has(post.userId);
    this.answers.push({ what: `send by ${post.userId}: no such thread`, from, to: this.headSeq, isRight });
  }

  /**
   * A user seals a send. Not one who never was a member: its answer, without an entry, is right only where every server
   * that holds a try of the send knows of the seal.
   */
  async sealOnce(post: Post, place: number): Promise<void> {
    if ((await this.viewOf(post.userId)) && (await this.seal(post, place)) === "sealed") {
      post.never = true;
      this.sealed += 1;
    }
  }

  /** A user asks how much of the thread it may see. */
  async look(userId: string, place: number): Promise<void> {
    const from = this.acknowledged;
    const server = this.server(place);
    const range = await server.range(this.threadId, userId).catch(expectKnown);
    if (!range) return;
    const { firstSeq, last } = range;
    const isRight = (roster: Roster, length: number) => {
      const member = roster.members.get(userId);
      if (member) return member.joinedSeq === firstSeq && last.seq === length;
      return firstSeq <= last.seq && last.seq <= length;
    };
    this.answers.push({ what: `${userId} sees ${firstSeq} to ${last.seq}`, from, to: this.headSeq, isRight });
  }

  override acknowledge(seq: number): void {
    super.acknowledge(seq);
    this.#covered.push({ seq, tick: this.tick() });
  }

  async finish(): Promise<void> {
    await this.points.drain();
    for (const asked of this.changes) {
      for (let round = 0; round < 3 && !asked.done; round++) await this.drain(this.ask(asked, round));
    }
    for (const post of this.posts) {
      for (let round = 0; round < 2 && post.accepted.length === 0 && !post.never; round++)
        await this.drain(this.sendOnce(post, round));
      if (post.accepted.length === 0 && !post.never) await this.drain(this.#seal(post));
    }
    // A reader finishes the projection.
    await this.drain(this.server(0).reader.membership(this.threadId, MEMBERS).catch(expectKnown));
  }

  /** Judges what was seen against the log. Throws AssertionError. */
  async verify(): Promise<void> {
    const log = await this.readLog();
    this.verifyPosts(log);
    const rosters = this.#replay(log);
    const last = rosters.at(-1) ?? EMPTY_ROSTER;
    assert.ok(last.appliedSeq > 0, "the group was never made");
    const projected = await this.groups.roster(this.threadId);
    assert.deepEqual(projected ?? EMPTY_ROSTER, last, "the projection is not what the log says");
    assert.ok(
      this.changes.every(({ done }) => done),
      "a change comes to no end",
    );
    this.#verifyChanges(log);
    this.#verifyPublications(log, rosters);
    for (const { seq, tick } of this.#covered) {
      for (const userId of new Set([...membersOf(rosters[seq - 1]), ...membersOf(rosters[seq])]))
        assert.ok(
          this.isCovered(userId, seq, tick),
          `no touch of ${userId}'s row covers seq ${seq} (promise 1)`,
        );
    }
    for (const { what, from, to, isRight } of this.answers) {
      // An answer may be as of any moment between its question and itself; the log's lengths bound these.
      const moments = rosters.slice(from, to + 1);
      assert.ok(
        moments.some((roster, at) => isRight(roster, from + at)),
        `${what}: was so at no moment of the call`,
      );
    }
  }

  protected vary(parts: ServerParts): ServerParts {
    return this.#variant(parts, this);
  }

  protected async viewOf(userId: string) {
    return this.groups.view(this.threadId, userId);
  }

  /** Seals a send of which no try was answered, so that the history ends with every outcome known. */
  async #seal(post: Post): Promise<void> {
    if ((await this.seal(post, 0)) === "sealed") post.never = true;
  }

  /** The roster after each length of the log; checks each entry against the one before. */
  #replay(log: readonly LogEntry[]): readonly Roster[] {
    const rosters = [EMPTY_ROSTER];
    for (const [at, { cell }] of log.entries()) {
      const seq = at + 1;
      const before = rosters[at] ?? EMPTY_ROSTER;
      const previous = previousOf(cell.body);
      const isMember = before.members.has(cell.sender);
      if (previous === undefined) {
        const isVoid = cell.body?.kind.case === "void";
        assert.ok(isVoid || isMember, `seq ${seq} is by ${cell.sender}, no member there`);
        rosters.push(before);
        continue;
      }
      assert.ok(seq === 1 || isMember, `seq ${seq} is by ${cell.sender}, no member there`);
      assert.equal(previous, before.appliedSeq, `seq ${seq} names another entry before it`);
      const entry = rosterEntryOf(this.threadId, seq, cell, before);
      const after = applyEntry(before, entry);
      assert.equal(entry.memberCount, after.members.size, `seq ${seq} counts wrong`);
      assert.ok(
        entry.added.every(({ userId }) => !before.members.has(userId)) &&
          entry.removed.every((userId) => before.members.has(userId)),
        `seq ${seq} adds who is a member, or removes who is none`,
      );
      const isOwned = [...after.members.values()].some(({ role }) => role === "owner");
      assert.ok(isOwned || after.members.size === 0, `after seq ${seq} nobody owns the group`);
      rosters.push(after);
    }
    return rosters;
  }

  /** Promise 3 for changes: a request is in the log at most once, and where its caller was told. */
  #verifyChanges(log: readonly LogEntry[]): void {
    for (const [at, { userId, requestId, seqs }] of this.changes.entries()) {
      const places = log.flatMap(({ cell }, place) =>
        cell.sender === userId && hex(cell.clientId) === hex(requestId) ? [place + 1] : [],
      );
      assert.ok(places.length <= 1, `change ${at} is in the log at ${places} (promise 3)`);
      for (const seq of seqs) assert.equal(seq, places[0], `change ${at} was acknowledged at another seq`);
    }
  }

  /**
   * Each publication is its entry, byte for byte, goes to the group and to the inboxes of newcomers, and tells push
   * servers by which member change it was judged.
   */
  #verifyPublications(log: readonly LogEntry[], rosters: readonly Roster[]): void {
    for (const { seq, frame, topics, group } of this.publications) {
      const entry = log[seq - 1];
      assert.ok(entry && group, `seq ${seq} was published and is not in the log, or without a mark`);
      assert.equal(
        hex(frame),
        hex(entryFrame(this.threadId, seq, entry.value)),
        `seq ${seq} has other bytes`,
      );
      const { body } = decodeCell(entry.value);
      const before = rosters[seq - 1]?.appliedSeq ?? 0;
      if (previousOf(body) !== undefined)
        assert.equal(group.membersSeq, before, `seq ${seq} has a wrong mark`);
      else assert.ok(group.membersSeq >= before, `seq ${seq} has the mark of an older group`);
      const change = memberChangeOf(body);
      assert.deepEqual(group.change, change);
      const inboxes = change?.added.map(inbox) ?? [];
      assert.deepEqual(topics, [`thread/${hex(this.threadId)}`, ...inboxes]);
    }
  }
}

function membersOf(roster: Roster | undefined): Iterable<string> {
  return roster?.members.keys() ?? [];
}

/** What becomes of a change there: undefined if nothing, the reason of its refusal, or "entry". */
function attempt(roster: Roster, userId: string, change: GroupChange): ErrorReason | "entry" | undefined {
  try {
    return judgeChange(roster, userId, change) && "entry";
  } catch (error) {
    if (error instanceof HeddleError) return error.reason;
    throw error;
  }
}
