import type { GroupMark, Publication } from "../../base/publication.ts";
import { HELD_ENTRIES } from "../limits.ts";
import type { Membership } from "../ports.ts";
import type { Position } from "../session/behind-threads.ts";

/** A user who has a session here. Another stay of the same user is another object. */
export interface LocalUser {
  readonly userId: string;
}

/** What the rules of a group's topic do to its local users of type U. */
export interface GroupEffects<U extends LocalUser> {
  /** The user of that name, if it has a session here. */
  online(userId: string): U | undefined;
  /** Every session of the user but the event's origin gets the event. */
  forward(user: U, event: Publication): void;
  /** The user, a member, may have missed entries up to `head`, which it may see. */
  behind(user: U, head: Position): void;
  /** The user may have missed something of this group that only Sync can tell: its sessions compare. */
  compare(user: U): void;
  /** The user has come into the topic through an entry. */
  came(user: U): void;
  /** The user is not in the topic any more. */
  left(user: U): void;
  /** Whether the user is a member has to be read before it gets anything. Followed by `known` or by `left`. */
  unknown(user: U): void;
  /** Now it has been read, after the topic was subscribed to: its sessions compare. */
  known(user: U): void;
  /** Members have to be read: soon, `ask`. */
  readMembers(): void;
}

/** A user that may or may not be a member now. */
interface Waiting {
  /** Its first entry when that was known; undefined if it has been told nothing since its sessions compared. */
  joinedSeq: number | undefined;
  /** The entry that added it and that its inbox has brought; 0 if none has. */
  toldSeq: number;
}

/** An entry that came while members were being read: what is left of it. */
interface Held extends Position {
  readonly membersSeq: number;
  readonly change: GroupMark["change"];
}

/**
 * Who of the local users gets what of a group (docs/design.md, section 7, Membership in order). Pure rules: events and
 * answers come in, GroupEffects go out.
 *
 * The topic is *in step* up to an entry `seq`: every entry up to there was forwarded, or is covered by a `behind` or a
 * compare, and every member entry up to there has been applied. So the members are known as of any members_seq that is
 * not above `seq`, and an event that names a higher one tells of a member entry that did not come. A gap below an event
 * that names none is a plain one, without a member entry in it.
 *
 * A user is in one of two places. `members`: it is one, and sees entries from its joinedSeq on. `waiting`: that is not
 * known, and it gets nothing, until members have been read at a head from the store by a call that was made after the
 * topic was subscribed to. What came before the answer and says more than the answer is held, as far as it changes
 * members, and applied to it.
 *
 * *Out of step* everybody waits: before the first read, and after an event that names a member entry that did not come.
 * Then entries are held (without their bytes), nothing is forwarded, and the answer with what is held puts the topic in
 * step again. Those who still are members are then `behind` at the highest entry known; a user who is not, compares: it
 * would learn from a `behind` of entries that it may not see.
 */
export class GroupTopic<U extends LocalUser> {
  readonly #to: GroupEffects<U>;
  /** The first entry that each sees. */
  readonly #members = new Map<U, number>();
  readonly #waiting = new Map<U, Waiting>();
  /** Members whose membership was read beyond `seq`: as of which entry. Changes up to there are in it. */
  readonly #ahead = new Map<U, number>();
  #isInStep = false;
  #seq = 0;
  #ordinal = 0;
  /** Of those who wait: up to where nothing was missed; 0 if that is not known. */
  #sureSeq = 0;
  #held: Held[] = [];
  /** An answer as of an older entry misses changes that are not held. */
  #heldSince = 0;

  constructor(effects: GroupEffects<U>) {
    this.#to = effects;
  }

  /** Whether nobody here is in it. */
  get isEmpty(): boolean {
    return this.#members.size === 0 && this.#waiting.size === 0;
  }

  /** Whether members have to be read. */
  get isReadDue(): boolean {
    return this.#waiting.size > 0;
  }

  /** The user is said to be a member. False if it is in the topic already. */
  enter(user: U): boolean {
    if (this.#members.has(user) || this.#waiting.has(user)) return false;
    this.#wait(user, undefined);
    this.#to.unknown(user);
    this.#to.readMembers();
    return true;
  }

  /** The user has no session any more. */
  leave(user: U): void {
    this.#members.delete(user);
    this.#waiting.delete(user);
    this.#ahead.delete(user);
  }

  /** The entry that adds the user, who is in the topic, has come to its inbox. It may have come here too, or will. */
  addedThroughInbox(user: U, entry: Publication): void {
    const waiting = this.#waiting.get(user);
    if (!waiting || entry.seq <= waiting.toldSeq) return;
    waiting.toldSeq = entry.seq;
    this.#to.forward(user, entry);
  }

  /** An event of the topic. */
  deliver(event: Publication): void {
    const { group } = event;
    if (!group) return;
    const isUnseen = group.membersSeq > this.#seq;
    if (event.kind === "entry") {
      if (event.seq <= this.#seq) return;
      if (this.#isInStep && isUnseen) this.#loseStep();
      if (this.#isInStep) this.#deliverEntry(event, group);
      else this.#hold(event, group);
    } else if (this.#isInStep) {
      if (!isUnseen) this.#forwardToAll(event);
      else if (event.kind !== "typing") this.#loseStep();
    }
  }

  /** The users whose membership is to be read, at most so many, and from now on: what comes meanwhile is held. */
  usersToAsk(most: number): U[] {
    return [...this.#waiting.keys()].slice(0, most);
  }

  /** The answer for those who were asked for. False if it is older than what has come: it has to be read again. */
  answered(asked: readonly U[], read: Membership): boolean {
    if (read.seq < this.#heldSince) return false;
    if (!this.#isInStep && !this.#comeInStep(read)) return false;
    for (const user of asked) {
      const waiting = this.#waiting.get(user);
      if (waiting && waiting.toldSeq <= read.seq) this.#settle(user, waiting, read);
    }
    if (this.#waiting.size === 0) this.#held = [];
    return true;
  }

  /** There is no such group, or none that these may see. */
  refused(asked: readonly U[]): void {
    for (const user of asked) if (this.#waiting.has(user)) this.#drop(user);
  }

  /** Events may have been missed: members are read, and those who have missed entries are behind. */
  compare(): void {
    if (!this.#isInStep) return;
    const sureSeq = this.#sureOfAll;
    this.#loseStep();
    this.#sureSeq = sureSeq;
  }

  /** Whether an entry of that seq may not have come. */
  misses(seq: number): boolean {
    return !this.#isInStep || seq > this.#seq;
  }

  /**
   * The topic is not subscribed to any more, and will be again: then members are read at a head from the store, and those
   * who have missed entries are behind. Where nothing is known of a user's stay, it is read as before.
   */
  reset(): void {
    const sureSeq = this.#sureOfAll;
    for (const [user, joinedSeq] of this.#members) this.#waiting.set(user, { joinedSeq, toldSeq: 0 });
    for (const waiting of this.#waiting.values()) waiting.toldSeq = 0;
    this.#outOfStep();
    this.#sureSeq = sureSeq;
    this.#seq = 0;
    this.#held = [];
    this.#heldSince = 0;
  }

  /** Up to where nobody has missed anything. Who still waits, in step or not, was not told of what came since. */
  get #sureOfAll(): number {
    return this.#isInStep && this.#waiting.size === 0 ? this.#seq : this.#sureSeq;
  }

  /** Receipts to all, one's own to one's other devices too; `typing` to all others. */
  #forwardToAll(event: Publication): void {
    for (const user of this.#members.keys()) {
      if (event.kind !== "typing" || user.userId !== event.userId) this.#to.forward(user, event);
    }
  }

  #deliverEntry(entry: Publication, { membersSeq, change }: GroupMark): void {
    const { seq, ordinal } = entry;
    const isGap = seq > this.#seq + 1;
    if (change) this.#add(change.added, seq);
    for (const [user, joinedSeq] of this.#members) {
      if (joinedSeq === seq || (joinedSeq < seq && !isGap)) this.#to.forward(user, entry);
      else if (joinedSeq < seq) this.#to.behind(user, { seq, ordinal });
    }
    if (change) this.#remove(change.removed, seq);
    if (change && this.#waiting.size > 0) this.#keep({ seq, ordinal, membersSeq, change });
    this.#seq = seq;
    this.#ordinal = ordinal;
    for (const [user, aheadSeq] of this.#ahead) if (aheadSeq <= seq) this.#ahead.delete(user);
  }

  /** Those who wait are left to their answer, which will have it or to which it will be applied. */
  #add(userIds: readonly string[], seq: number): void {
    for (const userId of userIds) {
      const user = this.#to.online(userId);
      if (!user || this.#waiting.has(user) || this.#isAhead(user, seq)) continue;
      const isNew = !this.#members.has(user);
      this.#members.set(user, seq);
      if (isNew) {
        this.#to.came(user);
        this.#to.compare(user);
      }
    }
  }

  #remove(userIds: readonly string[], seq: number): void {
    for (const userId of userIds) {
      const user = this.#to.online(userId);
      if (user && !this.#isAhead(user, seq) && this.#members.delete(user)) this.#to.left(user);
    }
  }

  #isAhead(user: U, seq: number): boolean {
    return seq <= (this.#ahead.get(user) ?? 0);
  }

  #wait(user: U, joinedSeq: number | undefined): void {
    if (this.#waiting.size === 0) {
      this.#held = [];
      this.#heldSince = this.#seq;
    }
    this.#waiting.set(user, { joinedSeq, toldSeq: 0 });
  }

  #loseStep(): void {
    for (const [user, joinedSeq] of this.#members) this.#wait(user, joinedSeq);
    this.#outOfStep();
    this.#to.readMembers();
  }

  #outOfStep(): void {
    this.#members.clear();
    this.#ahead.clear();
    this.#isInStep = false;
    this.#sureSeq = 0;
  }

  /** Out of step: nobody gets it, and those that it adds wait too. */
  #hold({ seq, ordinal }: Publication, { membersSeq, change }: GroupMark): void {
    this.#keep({ seq, ordinal, membersSeq, change });
    for (const userId of change?.added ?? []) {
      const user = this.#to.online(userId);
      if (user && this.enter(user)) this.#to.came(user);
    }
  }

  #keep(entry: Held): void {
    this.#held.push(entry);
    if (this.#held.length <= HELD_ENTRIES) return;
    for (const { seq } of this.#held) this.#heldSince = Math.max(this.#heldSince, seq);
    this.#held = [];
  }

  /** Follows what is held from the answer on. False if it names a member entry that neither has. */
  #comeInStep(read: Membership): boolean {
    let { seq, ordinal }: Position = read;
    for (const held of this.#held) {
      if (held.seq <= seq) continue;
      if (held.membersSeq > seq) return false;
      ({ seq, ordinal } = held);
    }
    this.#seq = seq;
    this.#ordinal = ordinal;
    this.#isInStep = true;
    return true;
  }

  #settle(user: U, waiting: Waiting, read: Membership): void {
    const joinedSeq = this.#joinedSeq(user, read);
    if (joinedSeq === undefined) {
      this.#drop(user);
      return;
    }
    this.#waiting.delete(user);
    this.#members.set(user, joinedSeq);
    if (read.membersSeq > this.#seq) this.#ahead.set(user, read.membersSeq);
    if (waiting.joinedSeq === undefined) this.#to.known(user);
    else if (waiting.joinedSeq !== joinedSeq) this.#to.compare(user);
    else if (read.seq > this.#seq) this.#to.behind(user, read);
    else if (this.#seq > this.#sureSeq) this.#to.behind(user, { seq: this.#seq, ordinal: this.#ordinal });
  }

  /** The first entry that the user sees, as of the answer and what is held beyond it. */
  #joinedSeq({ userId }: U, read: Membership): number | undefined {
    let joinedSeq = read.joined.get(userId);
    for (const { seq, change } of this.#held) {
      if (!change || seq <= read.seq) continue;
      if (change.added.includes(userId)) joinedSeq = seq;
      if (change.removed.includes(userId)) joinedSeq = undefined;
    }
    return joinedSeq;
  }

  /** The user, who waited, is no member: it compares, since it may have missed its last entries. */
  #drop(user: U): void {
    const isUnknown = this.#waiting.get(user)?.joinedSeq === undefined;
    this.#waiting.delete(user);
    if (isUnknown) this.#to.known(user);
    else this.#to.compare(user);
    this.#to.left(user);
  }
}
