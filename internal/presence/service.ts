import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import type { SessionReport, ShownPresence } from "../base/presence.ts";
import { rendezvousOwner } from "../base/rendezvous.ts";
import type { Member } from "../base/ring.ts";
import { PresenceStatus, Visibility as WireVisibility } from "../gen/heddle/presence/v1/presence_pb.js";
import type * as rpc from "../gen/heddle/presence/v1/presence_service_pb.js";
import { EveryInstance } from "./every-instance.ts";
import { CHECK_AGAIN_MS, CHECK_EVERY_MS, LEARN_MS } from "./limits.ts";
import { LiveTime } from "./live-time.ts";
import { OpenLists } from "./open-lists.ts";
import { OtherOwners } from "./other-owners.ts";
import type { Attachment, Link, Place, PresenceInstance, Privacy, Visibility } from "./ports.ts";
import { type Moment, Users } from "./users.ts";
import type { Visibilities } from "./visibilities.ts";
import { Watches } from "./watches.ts";

export interface PresenceServiceInit {
  readonly clock: Clock;
  readonly place: Place;
  readonly visibilities: Visibilities;
  readonly privacy: Privacy;
}

/** What an instance has done since it started. Only grows. */
export interface PresenceCounters {
  /** Changes of what is shown of a user. */
  changes: number;
  /** Reports of push servers. */
  reports: number;
}

/** Who calls, as the rpc layer says. */
interface Call {
  readonly caller: { readonly userId: string };
}

/**
 * One instance of the presence service: user → sessions, status, last seen, for the users it owns, and who watches them
 * (docs/design.md, section 8). Soft state under leases; only visibility is stored.
 */
export class PresenceService implements PresenceInstance {
  readonly counters: PresenceCounters = { changes: 0, reports: 0 };
  readonly #init: PresenceServiceInit;
  readonly #live: LiveTime;
  readonly #users: Users;
  readonly #watches: Watches;
  readonly #lists: OpenLists;
  readonly #links = new Set<Link>();
  readonly #others: EveryInstance;
  readonly #owners: OtherOwners;
  readonly #stopWatching: () => void;
  /** The instances by which it owns what it does; without itself it owns nothing. */
  #members: readonly Member[] = [];
  #isClosed = false;

  /** Knows nothing yet of the users that it owns. */
  constructor(init: PresenceServiceInit) {
    const { clock, privacy, place } = init;
    this.#init = init;
    this.#live = new LiveTime(CHECK_EVERY_MS, clock.monotonicMs());
    this.#users = new Users({
      changed: (userId, presence) => {
        this.counters.changes++;
        if (this.#owns(userId)) this.#watches.changed(userId, presence);
      },
      learned: (covers) => this.#watches.tellAll(covers),
    });
    this.#watches = new Watches({
      privacy,
      presenceOf: (userId) => this.#presenceOf(userId),
      isSure: () => place.lease.isSure(),
    });
    this.#lists = new OpenLists(privacy);
    this.#others = new EveryInstance({ ...place, clock, except: place.name });
    this.#owners = new OtherOwners({ clock, place });
    this.#stopWatching = place.ring.onChange(() => this.#follow());
    this.#follow();
    this.#checkLater();
    this.#checkWatchesLater();
  }

  /** Sessions of which push servers have told. */
  get sessions(): number {
    return this.#users.sessions;
  }

  /** Users with a session, or shown as if. */
  get users(): number {
    return this.#users.size;
  }

  /** Pairs of a session and a user that it watches. */
  get watches(): number {
    return this.#watches.size;
  }

  /** Whether there are users that nothing can be said of yet. */
  get isLearning(): boolean {
    return this.#users.isLearning;
  }

  /**
   * Its registration is gone: changes were answered of which it was not told. Nothing that it knew of who may see which
   * user counts any more; push servers attach and watch anew, and it owns what the ring says when it is in there again.
   */
  leaseLost(): void {
    this.#members = [];
    this.#init.visibilities.forgetAll();
    this.#lists.allChanged();
    this.#closeLinks();
  }

  /** Opens a push server's link. */
  attach(link: Link): Attachment {
    this.#links.add(link);
    return {
      report: async (report) => this.#report(link, report),
      watch: async (watcher, userIds) => {
        if (this.#links.has(link)) await this.#watches.watch({ ...watcher, link }, userIds);
      },
      unwatch: (session, userIds) => this.#watches.unwatch(session, userIds),
      close: () => this.#detach(link),
    };
  }

  async blockChanged(a: string, b: string): Promise<void> {
    this.#lists.blockChanged(a, b);
    this.#watches.blockChanged(a, b);
  }

  async membersChanged(userIds: readonly string[]): Promise<void> {
    this.#lists.membersChanged(userIds);
    await this.#watches.recheckAll(userIds);
  }

  async visibilityChanged(userId: string, hides: boolean): Promise<void> {
    this.#init.visibilities.forget(userId);
    this.#lists.visibilityChanged(userId);
    if (hides) this.#watches.hide(userId);
    await this.#watches.recheck(userId);
  }

  async presencesOf(userIds: readonly string[]): Promise<ReadonlyMap<string, ShownPresence>> {
    const found = new Map<string, ShownPresence>();
    for (const userId of userIds) {
      const presence = this.#presenceOf(userId);
      if (presence) found.set(userId, presence);
    }
    return found;
  }

  /** Ends: every push server is told that its link is closed. */
  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    this.#others.close();
    this.#closeLinks();
  }

  /** The RPCs of PresenceService. Requests have passed the rules of the schema. */
  readonly handlers = {
    listPresence: (request: rpc.ListPresenceRequest, call: Call) => this.#list(request, call),
    getVisibility: async (_request: rpc.GetVisibilityRequest, { caller }: Call) => ({
      visibility: toWire(await this.#init.visibilities.readVisibility(caller.userId)),
    }),
    setVisibility: (request: rpc.SetVisibilityRequest, call: Call) => this.#setVisibility(request, call),
  };

  /**
   * Asks the owners, and judges by what is so when it is answered: a visibility, a block, a leave that came meanwhile may
   * be answered already.
   */
  async #list(
    { userIds }: rpc.ListPresenceRequest,
    { caller }: Call,
  ): Promise<MessageInitShape<typeof rpc.ListPresenceResponseSchema>> {
    const others = new Map<string, ShownPresence>();
    const asked = this.#owners.ask(userIds, others);
    return this.#lists.judge(caller.userId, userIds, asked, (maySee) => ({
      presences: userIds
        .filter(maySee)
        .map((userId) => toWirePresence(userId, this.#presenceOf(userId) ?? others.get(userId) ?? NOT_KNOWN)),
    }));
  }

  /** In force before it is answered: stored, then applied to every watch and list, here and at every other instance. */
  async #setVisibility({ visibility }: rpc.SetVisibilityRequest, { caller }: Call) {
    const { userId } = caller;
    const set: Visibility = visibility === WireVisibility.NOBODY ? "nobody" : "shared";
    const apply = () => {
      void this.visibilityChanged(userId, set === "nobody"); // Never rejects; what is open and checked anew may wait.
      return this.#others.visibilityChanged(userId, set === "nobody");
    };
    try {
      await this.#init.visibilities.setVisibility(userId, set);
    } catch (error) {
      void apply().catch(() => {}); // It is unclear whether it is stored: every watcher is checked by what is.
      throw error;
    }
    await apply();
    return { visibility };
  }

  #owns(userId: string): boolean {
    return rendezvousOwner(this.#members, userId)?.name === this.#init.place.name;
  }

  #presenceOf(userId: string): ShownPresence | undefined {
    return this.#owns(userId) ? this.#users.presenceOf(userId) : undefined;
  }

  /** The ring may have changed: of users who are owned only from now on nothing is known until push servers have told. */
  #follow(): void {
    const { name, ring } = this.#init.place;
    const before = this.#members;
    const { members } = ring.view();
    if (members === before) return;
    this.#members = members;
    const isHere = (among: readonly Member[]) => among.some((member) => member.name === name);
    const owned = (userId: string) => rendezvousOwner(before, userId)?.name === name;
    const hasGained =
      !isHere(before) || before.some((one) => !members.some((member) => member.name === one.name));
    if (isHere(members) && hasGained) this.#learn((userId) => this.#owns(userId) && !owned(userId));
  }

  #report(link: Link, report: SessionReport): void {
    this.counters.reports++;
    const now = this.#now();
    this.#users.report(link.name, report, now);
    if (report.ring && this.#users.isLearning) this.#check(now);
  }

  #closeLinks(): void {
    for (const link of [...this.#links]) {
      this.#detach(link);
      link.closed();
    }
  }

  #detach(link: Link): void {
    this.#links.delete(link);
    this.#watches.endLink(link);
  }

  /** The end of learning has a timer of its own: `unknown` is never shown for longer. */
  #learn(covers: (userId: string) => boolean): void {
    this.#users.learn(covers, this.#now());
    this.#init.clock.after(LEARN_MS, () => {
      if (!this.#isClosed) this.#check(this.#now());
    });
  }

  #checkLater(): void {
    this.#init.clock.after(CHECK_EVERY_MS, () => {
      if (this.#isClosed) return;
      const { clock } = this.#init;
      const liveMs = this.#live.checked(clock.monotonicMs());
      this.#check({ liveMs, monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() });
      this.#checkLater();
    });
  }

  #checkWatchesLater(): void {
    this.#init.clock.after(CHECK_AGAIN_MS, () => {
      if (this.#isClosed) return;
      this.#watches.checkAgain();
      this.#checkWatchesLater();
    });
  }

  #check(now: Moment): void {
    const ring = new Set(this.#members.map(({ name }) => name));
    this.#users.check(now, this.#init.place.pushServers.view(), ring);
  }

  #now(): Moment {
    const { clock } = this.#init;
    const monotonicMs = clock.monotonicMs();
    return { liveMs: this.#live.at(monotonicMs), monotonicMs, wallMs: clock.nowMs() };
  }
}

/** What is shown of a user whose owner cannot say. */
const NOT_KNOWN: ShownPresence = { status: "unknown", lastSeenAtMs: 0 };

const STATUSES = {
  unknown: PresenceStatus.UNKNOWN,
  hidden: PresenceStatus.UNKNOWN,
  online: PresenceStatus.ONLINE,
  offline: PresenceStatus.OFFLINE,
} as const;

function toWirePresence(userId: string, { status, lastSeenAtMs }: ShownPresence) {
  return { userId, status: STATUSES[status], lastSeenAtMs: BigInt(lastSeenAtMs) };
}

function toWire(visibility: Visibility): WireVisibility {
  return visibility === "nobody" ? WireVisibility.NOBODY : WireVisibility.SHARED;
}
