import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import type { SessionReport, ShownPresence, Watcher } from "../base/presence.ts";
import { PresenceStatus, Visibility as WireVisibility } from "../gen/heddle/presence/v1/presence_pb.js";
import type * as rpc from "../gen/heddle/presence/v1/presence_service_pb.js";
import { CHECK_AGAIN_MS, CHECK_EVERY_MS, LEARN_MS } from "./limits.ts";
import { LiveTime } from "./live-time.ts";
import { OpenLists } from "./open-lists.ts";
import type { Link, Privacy, Registry, Visibility } from "./ports.ts";
import { type Moment, Users } from "./users.ts";
import type { Visibilities } from "./visibilities.ts";
import { Watches } from "./watches.ts";

export interface PresenceServiceInit {
  readonly clock: Clock;
  readonly registry: Registry;
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

/** A push server's side of its link. */
export interface Attachment {
  /** Resolves when it is taken in: the downs in it need not be told again. */
  report(report: SessionReport): Promise<void>;
  /** Begins to watch these users, and tells of each that may be seen. Users already watched are told of again. */
  watch(watcher: Watcher, userIds: readonly string[]): Promise<void>;
  unwatch(session: string, userIds: readonly string[]): void;
  /** A goodbye. */
  close(): void;
}

/** Who calls, as the rpc layer says. */
interface Call {
  readonly caller: { readonly userId: string };
}

/**
 * One instance of the presence service: user → sessions, status, last seen, for the users it owns, and who watches them
 * (docs/design.md, section 8). Soft state under leases; only visibility is stored.
 */
export class PresenceService {
  readonly counters: PresenceCounters = { changes: 0, reports: 0 };
  readonly #init: PresenceServiceInit;
  readonly #live: LiveTime;
  readonly #users: Users;
  readonly #watches: Watches;
  readonly #lists: OpenLists;
  readonly #links = new Set<Link>();
  #owns: (userId: string) => boolean = () => true;
  #isClosed = false;

  /** Owns all users until `ringChanged` says otherwise, and knows nothing of them yet. */
  constructor(init: PresenceServiceInit) {
    const { clock, privacy } = init;
    this.#init = init;
    this.#live = new LiveTime(CHECK_EVERY_MS, clock.monotonicMs());
    this.#users = new Users({
      changed: (userId, presence) => {
        this.counters.changes++;
        if (this.#owns(userId)) this.#watches.changed(userId, presence);
      },
      learned: (covers) => this.#watches.tellAll(covers),
    });
    this.#watches = new Watches({ privacy, presenceOf: (userId) => this.#presenceOf(userId) });
    this.#lists = new OpenLists(privacy);
    this.#learn(() => true);
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

  /** The ring has changed: of users who are owned only from now on nothing is known until push servers have told. */
  ringChanged(owns: (userId: string) => boolean): void {
    const owned = this.#owns;
    this.#owns = owns;
    this.#learn((userId) => owns(userId) && !owned(userId));
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

  /**
   * A block between the two was set or taken back, and is stored. When it resolves neither is told of the other, by
   * watch or list, but by a check that began later.
   */
  async blockChanged(a: string, b: string): Promise<void> {
    this.#lists.blockChanged(a, b);
    this.#watches.blockChanged(a, b);
  }

  /**
   * These users, at most MAX_CHANGE, have joined or left a group, which is stored. When it resolves nobody is told, by
   * watch or list, what it may not be told any more; watches that may open do so soon after.
   */
  async membersChanged(userIds: readonly string[]): Promise<void> {
    this.#lists.membersChanged(userIds);
    await this.#watches.recheckAll(userIds);
  }

  /** Ends: every push server is told that its link is closed. */
  close(): void {
    this.#isClosed = true;
    for (const link of [...this.#links]) {
      this.#detach(link);
      link.closed();
    }
  }

  /** The RPCs of PresenceService. Requests have passed the rules of the schema. */
  readonly handlers = {
    listPresence: (request: rpc.ListPresenceRequest, call: Call) => this.#list(request, call),
    getVisibility: async (_request: rpc.GetVisibilityRequest, { caller }: Call) => ({
      visibility: toWire(await this.#init.visibilities.readVisibility(caller.userId)),
    }),
    setVisibility: (request: rpc.SetVisibilityRequest, call: Call) => this.#setVisibility(request, call),
  };

  /** By what is so when it is answered: a visibility, a block, a leave that came meanwhile may be answered already. */
  async #list(
    { userIds }: rpc.ListPresenceRequest,
    { caller }: Call,
  ): Promise<MessageInitShape<typeof rpc.ListPresenceResponseSchema>> {
    const { visibilities } = this.#init;
    return this.#lists.judge(caller.userId, userIds, (maySee) => ({
      presences: userIds.flatMap((userId) => {
        if (!maySee(userId) || visibilities.known(userId) === "nobody") return [];
        const presence = this.#presenceOf(userId);
        return presence ? [toWirePresence(userId, presence)] : [];
      }),
    }));
  }

  /** In force before it is answered: stored, then remembered, then applied to every watch. */
  async #setVisibility({ visibility }: rpc.SetVisibilityRequest, { caller }: Call) {
    const set: Visibility = visibility === WireVisibility.NOBODY ? "nobody" : "shared";
    try {
      await this.#init.visibilities.setVisibility(caller.userId, set);
    } finally {
      // Also where it is unclear whether it is stored: then every watcher is checked by what is.
      if (set === "nobody") this.#watches.hide(caller.userId);
      void this.#watches.recheck(caller.userId);
    }
    return { visibility };
  }

  #presenceOf(userId: string): ShownPresence | undefined {
    return this.#owns(userId) ? this.#users.presenceOf(userId) : undefined;
  }

  #report(link: Link, report: SessionReport): void {
    this.counters.reports++;
    const now = this.#now();
    this.#users.report(link.name, report, now);
    if (report.isDigest && this.#users.isLearning) this.#users.check(now, this.#registered());
  }

  #detach(link: Link): void {
    this.#links.delete(link);
    this.#watches.endLink(link);
  }

  /** The end of learning has a timer of its own: `unknown` is never shown for longer. */
  #learn(covers: (userId: string) => boolean): void {
    this.#users.learn(covers, this.#now());
    this.#init.clock.after(LEARN_MS, () => {
      if (!this.#isClosed) this.#users.check(this.#now(), this.#registered());
    });
  }

  #checkLater(): void {
    this.#init.clock.after(CHECK_EVERY_MS, () => {
      if (this.#isClosed) return;
      const { clock } = this.#init;
      const liveMs = this.#live.checked(clock.monotonicMs());
      const now = { liveMs, monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() };
      this.#users.check(now, this.#registered());
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

  #registered(): string[] {
    return this.#init.registry.pushServers().map(({ name }) => name);
  }

  #now(): Moment {
    const { clock } = this.#init;
    const monotonicMs = clock.monotonicMs();
    return { liveMs: this.#live.at(monotonicMs), monotonicMs, wallMs: clock.nowMs() };
  }
}

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
