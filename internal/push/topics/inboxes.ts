import type { Clock } from "../../base/clock.ts";
import { inbox, type Publication, type Topic } from "../../base/publication.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import { HEARD_MS, SUBSCRIBE_WAIT_MS } from "../limits.ts";
import type { Messages, Threads } from "../ports.ts";
import type { Session } from "../session/session.ts";
import type { DeviceChecks } from "./device-checks.ts";
import { GroupTopics } from "./group-topics.ts";
import { OnlineUser } from "./online-user.ts";
import type { Subscriber, Topics } from "./topics.ts";

export interface InboxesInit {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly messages: Pick<Messages, "membership">;
  readonly threads: Pick<Threads, "groups">;
  readonly devices: DeviceChecks;
  readonly topics: Topics;
}

/**
 * The inboxes of the users who have a session here, each subscribed to once, from a user's first session to its last,
 * and before its groups are listed and their topics subscribed to (docs/design.md, section 7). Sessions go on when all
 * that is done. What is done late, or over again after the link was lost, makes them compare: when all of it is done,
 * and until then SUBSCRIBE_WAIT_MS after a part of it.
 */
export class Inboxes {
  readonly #clock: Clock;
  readonly #topics: Topics;
  readonly #groups: GroupTopics;
  readonly #devices: DeviceChecks;
  readonly #inboxes = new Map<string, Inbox>();
  /** Users that something has become known of, but not all. */
  #unsettled = new Set<OnlineUser>();

  constructor(init: InboxesInit) {
    this.#clock = init.clock;
    this.#topics = init.topics;
    this.#devices = init.devices;
    this.#groups = new GroupTopics({
      ...init,
      online: (userId) => this.#inboxes.get(userId)?.user,
      settled: (user) => this.#settled(user),
    });
  }

  /** Users with a session. */
  get users(): number {
    return this.#inboxes.size;
  }

  /** Whether what was published to the user's inbox HEARD_MS ago has surely come. */
  hasHeard(userId: string): boolean {
    const known = this.#inboxes.get(userId);
    return known !== undefined && this.#topics.hasHeard(known, HEARD_MS);
  }

  /** Ends the sessions of a user's device. */
  revoke(userId: string, deviceId: string): void {
    this.#inboxes.get(userId)?.user.revoke(deviceId);
  }

  /** Adds the session to its user's. True if every later publication surely reaches it already. */
  join(session: Session): boolean {
    const { userId } = session.identity;
    let known = this.#inboxes.get(userId);
    const isNew = !known;
    known ??= new Inbox(userId, this.#groups, this.#devices, (user) => this.#settled(user));
    known.user.add(session);
    if (isNew) {
      this.#inboxes.set(userId, known);
      this.#topics.subscribe(known);
    } else if (known.user.isSubscribed) this.#devices.check(known.user);
    return known.user.isReady;
  }

  /** Removes the session. True if it was its user's last one here. */
  leave(session: Session): boolean {
    const { userId } = session.identity;
    const known = this.#inboxes.get(userId);
    if (!known?.user.remove(session) || known.user.hasSessions) return false;
    this.#inboxes.delete(userId);
    this.#unsettled.delete(known.user);
    this.#topics.unsubscribe(known);
    this.#devices.stop(known.user);
    this.#groups.leave(known.user);
    return true;
  }

  #settled(user: OnlineUser): void {
    if (!user.isReady) {
      this.#compareLater(user);
      return;
    }
    this.#unsettled.delete(user);
    user.subscribed();
  }

  #compareLater(user: OnlineUser): void {
    if (this.#unsettled.size === 0) this.#clock.after(SUBSCRIBE_WAIT_MS, () => this.#compareUnsettled());
    this.#unsettled.add(user);
  }

  #compareUnsettled(): void {
    const users = this.#unsettled;
    this.#unsettled = new Set();
    for (const user of users) user.compare();
  }
}

/** The inbox of one user. */
class Inbox implements Subscriber {
  readonly topic: Topic;
  readonly user: OnlineUser;
  readonly #groups: GroupTopics;
  readonly #devices: DeviceChecks;
  readonly #settled: (user: OnlineUser) => void;

  constructor(
    userId: string,
    groups: GroupTopics,
    devices: DeviceChecks,
    settled: (user: OnlineUser) => void,
  ) {
    this.topic = inbox(userId);
    this.user = new OnlineUser(userId);
    this.#groups = groups;
    this.#devices = devices;
    this.#settled = settled;
  }

  subscribed(): void {
    this.user.isSubscribed = true;
    this.#devices.check(this.user);
    this.#groups.list(this.user);
    this.#settled(this.user);
  }

  lost(): void {
    this.user.isSubscribed = false;
    this.user.areGroupsListed = false;
    this.user.forgetBlocks();
    this.#devices.stop(this.user);
    this.#groups.stopListing(this.user);
  }

  /** The groups are listed anew, and when they are, the sessions compare by Sync. */
  compareTopic(): void {
    this.user.forgetBlocks();
    this.#devices.check(this.user);
    this.#groups.list(this.user);
  }

  hinted(): void {
    this.compareTopic();
  }

  deliver(publication: Publication): void {
    const { kind, group, deviceId } = publication;
    if (kind === "device_revoked") this.user.revoke(deviceId);
    else if (kind === "block_changed") this.user.noteBlock(publication);
    else if (kind !== "entry" || !group) this.user.push(publication);
    else if (group.change?.added.includes(this.user.userId)) this.#groups.added(this.user, publication);
  }
}
