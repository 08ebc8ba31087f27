import type { Clock } from "../../base/clock.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import { fromHex, hex } from "../../base/ids.ts";
import { groupTopic, type Hint, type Publication, type Topic } from "../../base/publication.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import { CallGate } from "../call-gate.ts";
import { GROUPS_MS, MEMBERSHIP_USERS, READS_AT_ONCE } from "../limits.ts";
import { PacedCall } from "../paced-call.ts";
import type { Membership, Messages, Threads } from "../ports.ts";
import type { Position } from "../session/behind-threads.ts";
import { type GroupEffects, GroupTopic } from "./group-topic.ts";
import type { OnlineUser } from "./online-user.ts";
import type { Subscriber, Topics } from "./topics.ts";

export interface GroupTopicsInit {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly messages: Pick<Messages, "membership">;
  readonly threads: Pick<Threads, "groups">;
  readonly topics: Topics;
  /** The user of that name, if it has a session here. */
  readonly online: (userId: string) => OnlineUser | undefined;
  /** More is known of the user than before: its sessions may go on, or compare. */
  readonly settled: (user: OnlineUser) => void;
}

/**
 * The topics of the groups that users with a session here are members of, each subscribed to once (docs/design.md,
 * section 7). The rules are those of GroupTopic; here they meet the link and the services. Members are read only when
 * the topic has been subscribed to, one call per group at a time and so many in all, for all who wait for it.
 */
export class GroupTopics {
  readonly #init: GroupTopicsInit;
  readonly #groups = new Map<string, Group>();
  readonly #lists = new Map<OnlineUser, PacedCall<readonly Uint8Array[]>>();
  readonly #listGate = new CallGate(READS_AT_ONCE);
  readonly #context: GroupContext;

  constructor(init: GroupTopicsInit) {
    this.#init = init;
    const ended = (group: Group) => this.#end(group);
    this.#context = { ...init, gate: new CallGate(READS_AT_ONCE), ended };
  }

  /** Lists the user's groups and enters it into their topics. Its inbox has been subscribed to. */
  list(user: OnlineUser): void {
    const { clock, deadlines, threads } = this.#init;
    this.stopListing(user);
    const late = () => storeUnavailable("thread");
    const listed = (threadIds: readonly Uint8Array[]) => {
      this.#lists.delete(user);
      for (const threadId of threadIds) this.#enter(user, hex(threadId));
      user.areGroupsListed = true;
      this.#init.settled(user);
      return true;
    };
    const list = new PacedCall({
      clock,
      gate: this.#listGate,
      ask: () => deadlines.bound(threads.groups(user.userId), GROUPS_MS, late),
      takeAnswer: listed,
      notFound: () => listed([]),
    });
    this.#lists.set(user, list);
  }

  stopListing(user: OnlineUser): void {
    this.#lists.get(user)?.stop();
    this.#lists.delete(user);
  }

  /** The inbox has brought an entry that adds the user to a group. */
  added(user: OnlineUser, entry: Publication): void {
    const group = this.#enter(user, entry.thread);
    group.rules.addedThroughInbox(user, entry);
  }

  /** The user has no session any more. */
  leave(user: OnlineUser): void {
    this.stopListing(user);
    for (const thread of user.groups.splice(0)) {
      const group = this.#groups.get(thread);
      group?.rules.leave(user);
      group?.endIfEmpty();
    }
  }

  #enter(user: OnlineUser, thread: string): Group {
    let group = this.#groups.get(thread);
    const isNew = !group;
    group ??= new Group(this.#context, thread);
    this.#groups.set(thread, group);
    if (group.rules.enter(user)) user.groups.push(thread);
    if (isNew) this.#init.topics.subscribe(group);
    return group;
  }

  #end(group: Group): void {
    this.#groups.delete(group.thread);
    this.#init.topics.unsubscribe(group);
  }
}

interface GroupContext extends GroupTopicsInit {
  readonly gate: CallGate;
  /** Nobody here is in the group. */
  ended(group: Group): void;
}

/** One group's topic: the rules, the subscription, and the call that reads its members. */
class Group implements Subscriber, GroupEffects<OnlineUser> {
  readonly thread: string;
  readonly topic: Topic;
  readonly rules = new GroupTopic<OnlineUser>(this);
  readonly #context: GroupContext;
  #isSubscribed = false;
  #reading: PacedCall<Membership> | undefined;

  constructor(context: GroupContext, thread: string) {
    this.#context = context;
    this.thread = thread;
    this.topic = groupTopic(thread);
  }

  subscribed(): void {
    this.#isSubscribed = true;
    this.readMembers();
  }

  lost(): void {
    this.#isSubscribed = false;
    this.#stopReading();
    this.rules.reset();
  }

  /** One read of the members at a head says what was missed. One that is under way may have begun too early. */
  compareTopic(): void {
    this.#stopReading();
    this.rules.compare();
    this.readMembers();
  }

  hinted({ seq }: Hint): void {
    if (this.rules.misses(seq)) this.compareTopic();
  }

  deliver(publication: Publication): void {
    this.rules.deliver(publication);
    this.endIfEmpty();
  }

  endIfEmpty(): void {
    if (!this.rules.isEmpty) return;
    this.#stopReading();
    this.#context.ended(this);
  }

  online(userId: string): OnlineUser | undefined {
    return this.#context.online(userId);
  }

  forward(user: OnlineUser, event: Publication): void {
    user.push(event);
  }

  behind(user: OnlineUser, head: Position): void {
    user.fallBehind(this.thread, head);
  }

  compare(user: OnlineUser): void {
    user.compare();
  }

  came(user: OnlineUser): void {
    user.groups.push(this.thread);
  }

  left(user: OnlineUser): void {
    const at = user.groups.indexOf(this.thread);
    if (at >= 0) user.groups.splice(at, 1);
  }

  unknown(user: OnlineUser): void {
    user.unknownGroups++;
  }

  known(user: OnlineUser): void {
    user.unknownGroups--;
    this.#context.settled(user);
  }

  /** Not before the topic has been subscribed to: a change between the two would be missed. */
  readMembers(): void {
    if (!this.#isSubscribed || this.#reading) return;
    const { clock, gate, messages } = this.#context;
    const threadId = fromHex(this.thread);
    let asked: readonly OnlineUser[] = [];
    this.#reading = new PacedCall<Membership>({
      clock,
      gate,
      ask: () => {
        asked = this.rules.usersToAsk(MEMBERSHIP_USERS);
        return messages.membership(
          threadId,
          asked.map(({ userId }) => userId),
        );
      },
      takeAnswer: (membership) => {
        if (!this.rules.answered(asked, membership)) return false;
        this.#readOn();
        return true;
      },
      notFound: () => {
        this.rules.refused(asked);
        this.#readOn();
      },
    });
  }

  #readOn(): void {
    this.#reading = undefined;
    if (this.rules.isReadDue) this.readMembers();
    else this.endIfEmpty();
  }

  #stopReading(): void {
    this.#reading?.stop();
    this.#reading = undefined;
  }
}
