import assert from "node:assert/strict";
import { groupTopic, type Publication } from "../../../base/publication.ts";
import type { Membership } from "../../../push/ports.ts";
import type { Position } from "../../../push/session/behind-threads.ts";
import { type GroupEffects, GroupTopic, type LocalUser } from "../../../push/topics/group-topic.ts";
import { threadOf } from "./push-world.ts";

/** What may happen to one group and to those of its members who have a session on one push server. */
export type Step =
  | {
      readonly do:
        | "post"
        | "confirm"
        | "ask"
        | "look"
        | "answer"
        | "break-link"
        | "lose-topic"
        | "move-topic"
        | "receipt";
    }
  | { readonly do: "add" | "remove" | "log-in" | "log-out" | "deliver-inbox"; readonly user: number }
  | { readonly do: "publish"; readonly how: "first" | "second" | "lost" }
  | { readonly do: "publish-again"; readonly entry: number }
  | { readonly do: "deliver"; readonly count: number };

/** What a broken variant changes: what the rules see, or when the caller reads members. */
export interface Variant {
  readonly seen?: (event: Publication) => Publication;
  readonly readsBeforeSubscribed?: boolean;
}

/** A message, or a change of members, in the log. */
interface Entry {
  readonly seq: number;
  /** Of the member entry before it. */
  readonly previousSeq: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  isPublished: boolean;
}

/** One stay of a user: what its client was given, or was told to fetch. */
class Stay implements LocalUser {
  readonly userId: string;
  /** Seqs that it was given, or knows that it has to fetch. */
  readonly covered = new Set<number>();

  constructor(userId: string) {
    this.userId = userId;
  }
}

const THREAD = threadOf(1);

/** Users are called u0 to u5. */
export const LAST_USER = 5;

/**
 * The log of one group, its publications on their way, and the rules of its topic on one push server, called as
 * GroupTopics calls them. Every effect is judged against the log at once: nobody gets an entry, or a `behind` at one,
 * that it may not see. `finish` judges that nobody misses what it may see.
 */
export class GroupTopicWorld implements GroupEffects<Stay> {
  /** How often the runs met what they are for. */
  readonly met = { forwards: 0, behinds: 0, compares: 0, removals: 0, staleAnswers: 0, inboxFirst: 0 };
  readonly #variant: Variant;
  readonly #rules: GroupTopic<Stay>;
  readonly #log: Entry[] = [];
  readonly #stays = new Map<string, Stay>();
  #unpublished: Entry[] = [];
  /** On their way to this push server: of the topic, in order, and of each user's inbox. */
  #topicWire: Publication[] = [];
  readonly #inboxWires = new Map<string, Publication[]>();
  /** Somebody is online, so the topic is subscribed to; and that was confirmed. */
  #isTaken = false;
  #isSubscribed = false;
  /** The users whose stays are being read, and what was found, which is answered later. */
  #asked: readonly Stay[] | undefined;
  #looked: Membership | undefined;

  constructor(variant: Variant) {
    this.#variant = variant;
    this.#rules = new GroupTopic<Stay>(this);
    this.#commit(["u0", "u1", "u2"], []);
  }

  /** Takes one step of a history. Throws AssertionError where an effect is one that must not be. */
  act(step: Step): void {
    if (step.do === "post") this.#commit([], []);
    else if (step.do === "add") this.#add(`u${step.user}`);
    else if (step.do === "remove") this.#remove(`u${step.user}`);
    else if (step.do === "publish") this.#publishNext(step.how);
    else if (step.do === "publish-again") this.#publishAgain(this.#log[step.entry % this.#log.length]);
    else if (step.do === "receipt") this.#send({ ...this.#publication(this.#last), kind: "receipt", seq: 0 });
    else if (step.do === "deliver") this.#deliver(step.count);
    else if (step.do === "deliver-inbox") this.#deliverInbox(`u${step.user}`);
    else if (step.do === "log-in") this.#logIn(`u${step.user}`);
    else if (step.do === "log-out") this.#logOut(`u${step.user}`);
    else if (step.do === "confirm") this.#isSubscribed = this.#isTaken;
    else if (step.do === "ask") this.#ask();
    else if (step.do === "look") this.#look();
    else if (step.do === "answer") this.#answer();
    else if (step.do === "lose-topic") this.#loseTopic();
    else if (step.do === "move-topic") this.#moveTopic();
    else this.#breakLink();
    this.#endIfEmpty();
  }

  /**
   * Everything arrives and all reads are answered: then nobody misses an entry of which the channel service has said
   * that it is queued. One more message is posted and arrives: then nobody misses anything.
   */
  finish(): void {
    this.#isSubscribed = this.#isTaken;
    // An entry that adds somebody is answered, so published, by the server that appended it, or found by a later send.
    for (const entry of this.#log)
      if (!entry.isPublished && entry.added.length > 0) this.#publishAgain(entry);
    this.#unpublished = [];
    this.#settleAll();
    this.#checkComplete(this.#log.filter(({ isPublished }) => isPublished));
    this.#commit([], []);
    this.#publishNext("first");
    this.#settleAll();
    this.#checkComplete(this.#log);
  }

  online(userId: string): Stay | undefined {
    return this.#stays.get(userId);
  }

  forward(stay: Stay, event: Publication): void {
    if (event.kind === "receipt") {
      const from = event.group?.membersSeq ?? 0;
      const isMember = this.#log.some(({ seq }) => seq >= from && this.#maySee(stay.userId, seq));
      assert.ok(isMember, `leak: a receipt as of ${from} to ${stay.userId}, who had left before`);
      return;
    }
    this.met.forwards++;
    assert.ok(this.#maySee(stay.userId, event.seq), `leak: entry ${event.seq} to ${stay.userId}`);
    stay.covered.add(event.seq);
  }

  behind(stay: Stay, head: Position): void {
    this.met.behinds++;
    assert.ok(this.#maySee(stay.userId, head.seq), `leak: behind at ${head.seq} to ${stay.userId}`);
    this.#cover(stay, head.seq);
  }

  compare(stay: Stay): void {
    this.met.compares++;
    this.#cover(stay, this.#log.length);
  }

  came(): void {}

  left(): void {
    this.met.removals++;
  }

  unknown(): void {}

  known(stay: Stay): void {
    this.compare(stay);
  }

  readMembers(): void {}

  #checkComplete(entries: readonly Entry[]): void {
    for (const { userId, covered } of this.#stays.values()) {
      for (const { seq } of entries) {
        const isMissing = this.#maySee(userId, seq) && !covered.has(seq);
        assert.ok(!isMissing, `hole: ${userId} misses entry ${seq} and was told nothing`);
      }
    }
  }

  get #last(): Entry {
    return this.#log.at(-1) as Entry;
  }

  #cover(stay: Stay, upTo: number): void {
    for (let seq = 1; seq <= upTo; seq++) stay.covered.add(seq);
  }

  #commit(added: readonly string[], removed: readonly string[]): void {
    const entry = {
      seq: this.#log.length + 1,
      previousSeq: this.#membersSeq,
      added,
      removed,
      isPublished: false,
    };
    this.#log.push(entry);
    this.#unpublished.push(entry);
  }

  get #membersSeq(): number {
    return this.#log.findLast(isChange)?.seq ?? 0;
  }

  /** Who is a member after the entry, with the first entry that each sees. */
  #rosterAt(at: number): Map<string, number> {
    const roster = new Map<string, number>();
    for (const { seq, added, removed } of this.#log.slice(0, at)) {
      for (const userId of added) roster.set(userId, seq);
      for (const userId of removed) roster.delete(userId);
    }
    return roster;
  }

  /** By the log: a member before the entry or after it, so that both ends of a stay in the group are seen. */
  #maySee(userId: string, seq: number): boolean {
    return this.#rosterAt(seq - 1).has(userId) || this.#rosterAt(seq).has(userId);
  }

  #add(userId: string): void {
    if (!this.#rosterAt(this.#log.length).has(userId)) this.#commit([userId], []);
  }

  #remove(userId: string): void {
    if (this.#rosterAt(this.#log.length).has(userId)) this.#commit([], [userId]);
  }

  #publication(entry: Entry, membersSeq = this.#membersSeq): Publication {
    const { seq, added, removed } = entry;
    return {
      kind: "entry",
      topics: [groupTopic(THREAD)],
      frame: new Uint8Array(0),
      thread: THREAD,
      seq,
      ordinal: seq,
      userId: "u0",
      originSession: "",
      group: isChange(entry) ? { membersSeq, change: { added, removed } } : { membersSeq },
    };
  }

  #publishNext(how: "first" | "second" | "lost"): void {
    const [entry] = this.#unpublished.splice(how === "second" ? 1 : 0, 1);
    if (!entry || how === "lost") return;
    entry.isPublished = true;
    this.#send(this.#publication(entry, entry.previousSeq));
  }

  /** By a server that found it: with the members_seq of now, unless it is a member entry. */
  #publishAgain(entry: Entry | undefined): void {
    if (!entry) return;
    entry.isPublished = true;
    this.#send(this.#publication(entry, isChange(entry) ? entry.previousSeq : this.#membersSeq));
  }

  #send(event: Publication): void {
    if (this.#isSubscribed) this.#topicWire.push(event);
    for (const userId of event.kind === "entry" ? (event.group?.change?.added ?? []) : []) {
      if (!this.#stays.has(userId)) continue;
      this.#inboxWires.set(userId, [...(this.#inboxWires.get(userId) ?? []), event]);
    }
  }

  #deliver(count: number): void {
    for (const event of this.#topicWire.splice(0, count)) {
      this.#rules.deliver(this.#variant.seen?.(event) ?? event);
    }
  }

  #deliverInbox(userId: string): void {
    const event = this.#inboxWires.get(userId)?.shift();
    const stay = this.#stays.get(userId);
    if (!event || !stay) return;
    if (!this.#isTaken) this.met.inboxFirst++;
    this.#enter(stay);
    this.#rules.addedThroughInbox(stay, event);
  }

  #enter(stay: Stay): void {
    this.#isTaken = true;
    this.#rules.enter(stay);
  }

  #logIn(userId: string): void {
    if (this.#stays.has(userId)) return;
    const stay = new Stay(userId);
    this.#stays.set(userId, stay);
    this.#list(stay);
  }

  /** The list of its groups has it, or its sessions go on without. */
  #list(stay: Stay): void {
    if (this.#rosterAt(this.#log.length).has(stay.userId)) this.#enter(stay);
    else this.compare(stay);
  }

  #logOut(userId: string): void {
    const stay = this.#stays.get(userId);
    if (stay) this.#rules.leave(stay);
    this.#stays.delete(userId);
    this.#inboxWires.delete(userId);
  }

  #ask(): void {
    if (this.#asked || !this.#rules.isReadDue) return;
    if (!this.#isSubscribed && !this.#variant.readsBeforeSubscribed) return;
    this.#asked = this.#rules.usersToAsk(2);
  }

  /** The store reads its head, some time between the call and its answer. */
  #look(): void {
    if (!this.#asked || this.#looked) return;
    const seq = this.#log.length;
    const joined = this.#rosterAt(seq);
    this.#looked = { seq, ordinal: seq, membersSeq: this.#membersSeq, isLarge: false, joined };
  }

  #answer(): void {
    if (!this.#asked || !this.#looked) return;
    if (!this.#rules.answered(this.#asked, this.#looked)) this.met.staleAnswers++;
    this.#forgetRead();
  }

  #forgetRead(): void {
    this.#asked = undefined;
    this.#looked = undefined;
  }

  /** The instance that owned the topic is gone; the inboxes have others. */
  #loseTopic(): void {
    this.#topicWire = [];
    this.#isSubscribed = false;
    this.#forgetRead();
    this.#rules.reset();
  }

  /** The topic has another owner, where it is subscribed to by now: what the old one had on its way does not come. */
  #moveTopic(): void {
    if (!this.#isSubscribed) return;
    this.#topicWire = [];
    this.#forgetRead();
    this.#rules.compare();
  }

  #breakLink(): void {
    this.#loseTopic();
    this.#inboxWires.clear();
    // Inboxes first, then the lists; the topic is confirmed by a later step.
    for (const stay of this.#stays.values()) this.#list(stay);
  }

  #endIfEmpty(): void {
    if (!this.#rules.isEmpty) return;
    this.#isTaken = false;
    this.#isSubscribed = false;
    this.#topicWire = [];
    this.#forgetRead();
    this.#rules.reset();
  }

  #settleAll(): void {
    for (let turn = 0; turn < 200; turn++) {
      this.#isSubscribed = this.#isTaken;
      this.#deliver(Number.POSITIVE_INFINITY);
      for (const userId of this.#inboxWires.keys()) {
        while (this.#inboxWires.get(userId)?.length) this.#deliverInbox(userId);
      }
      this.#isSubscribed = this.#isTaken;
      this.#ask();
      this.#look();
      this.#answer();
      this.#endIfEmpty();
      if (!this.#rules.isReadDue) return;
    }
    assert.fail("the members were never known");
  }
}

function isChange({
  added,
  removed,
}: {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}) {
  return added.length + removed.length > 0;
}
