import type { ShownPresence } from "../base/presence.ts";
import type { Link, LinkedWatcher, Privacy } from "./ports.ts";

/** One session that watches one user. */
interface Watch {
  readonly watcher: LinkedWatcher;
  readonly userId: string;
  /** Whether the watcher is told. Else it is mute: not checked yet, or not allowed. */
  isOpen: boolean;
  /** Whether the watcher was told last that it may not see the user. */
  isConcealed: boolean;
  /** Raised by whatever a check that is under way cannot have seen. */
  doubts: number;
  /** The check that is under way. */
  checking: Promise<void> | undefined;
}

/** What a watcher is told of a user that it may no longer see. */
const HIDDEN: ShownPresence = { status: "hidden", lastSeenAtMs: 0 };

export interface WatchesInit {
  readonly privacy: Privacy;
  /** What is shown of a user; undefined if this instance has no say. */
  readonly presenceOf: (userId: string) => ShownPresence | undefined;
  /** Whether every change in who may see which user is told here before it is answered. */
  readonly isSure: () => boolean;
}

/**
 * Who watches which user. A watch is registered mute, then checked, then opened: what changes who may see which user is applied to
 * the watches that are registered, so a check that began before cannot open one behind its back (docs/design.md,
 * section 8). A watch that may not be opened stays, mute, until it is given up. An instance that is not sure that it is
 * told of such changes tells nothing by a check that was made before: each telling waits for one of its own.
 */
export class Watches {
  readonly #init: WatchesInit;
  readonly #byUser = new Map<string, Set<Watch>>();
  /** By session, then by user. */
  readonly #bySession = new Map<string, Map<string, Watch>>();
  readonly #byViewer = new Map<string, Set<Watch>>();
  /** Watches whose check failed. */
  readonly #unchecked = new Set<Watch>();
  #size = 0;

  constructor(init: WatchesInit) {
    this.#init = init;
  }

  get size(): number {
    return this.#size;
  }

  /** Begins to watch. Of users already watched the watcher is told again. Resolves when all are checked. */
  async watch(watcher: LinkedWatcher, userIds: readonly string[]): Promise<void> {
    const checks: Promise<void>[] = [];
    for (const userId of userIds) {
      const watch = this.#register(watcher, userId);
      if (!watch.isOpen) checks.push(this.#check(watch));
      else if (this.#init.isSure()) this.#tell(watch);
      else checks.push(this.#tellOnceChecked(watch));
    }
    await Promise.all(checks);
  }

  /** Ends the watching of these users. */
  unwatch(session: string, userIds: readonly string[]): void {
    const watches = this.#bySession.get(session);
    for (const userId of userIds) {
      const watch = watches?.get(userId);
      if (watch) this.#remove(watch);
    }
  }

  /** Ends everything that came over the link. */
  endLink(link: Link): void {
    for (const watches of this.#bySession.values()) {
      for (const watch of watches.values()) if (watch.watcher.link === link) this.#remove(watch);
    }
  }

  /** What is shown of the user has changed. */
  changed(userId: string, presence: ShownPresence): void {
    const isSure = this.#init.isSure();
    const sessions = new Map<Link, string[]>();
    for (const watch of this.#byUser.get(userId) ?? []) {
      const { isOpen, watcher } = watch;
      if (isOpen && !isSure) void this.#tellOnceChecked(watch);
      if (!isOpen || !isSure) continue;
      const behind = sessions.get(watcher.link);
      if (behind) behind.push(watcher.session);
      else sessions.set(watcher.link, [watcher.session]);
    }
    for (const [link, names] of sessions) link.told(userId, presence, names);
  }

  /** Tells all watchers of these users what is shown of them now. */
  tellAll(covers: (userId: string) => boolean): void {
    for (const userId of this.#byUser.keys()) {
      const presence = covers(userId) ? this.#init.presenceOf(userId) : undefined;
      if (presence) this.changed(userId, presence);
    }
  }

  /** Nobody may see the user from now on: when it returns, nobody is told any more, and all know. */
  hide(userId: string): void {
    for (const watch of this.#byUser.get(userId) ?? []) {
      watch.doubts++;
      this.#shut(watch);
    }
  }

  /** Whether the two may see each other has changed: neither is told of the other until that is checked anew. */
  blockChanged(a: string, b: string): void {
    for (const [viewer, user] of [
      [a, b],
      [b, a],
    ] as const) {
      for (const watch of this.#byUser.get(user) ?? []) {
        if (watch.watcher.viewerId !== viewer) continue;
        watch.doubts++;
        this.#shut(watch);
        void this.#check(watch);
      }
    }
  }

  /** Who may see the user has changed: all who watch are checked anew. See recheckAll. */
  recheck(userId: string): Promise<void> {
    return this.#recheck(this.#byUser.get(userId) ?? []);
  }

  /**
   * The set of users that these may see, or that may see these, has changed: their watches, and those of them, are checked anew.
   * Resolves when no watch is open that was checked before; what is mute opens when its own check is done.
   */
  async recheckAll(userIds: readonly string[]): Promise<void> {
    const watches = userIds.flatMap((userId) => [
      ...(this.#byUser.get(userId) ?? []),
      ...(this.#byViewer.get(userId) ?? []),
    ]);
    await this.#recheck(new Set(watches));
  }

  /** Makes again the checks that failed. */
  checkAgain(): void {
    const failed = [...this.#unchecked];
    this.#unchecked.clear();
    for (const watch of failed) void this.#check(watch);
  }

  #register(watcher: LinkedWatcher, userId: string): Watch {
    const { session } = watcher;
    const mine = this.#bySession.get(session) ?? new Map<string, Watch>();
    this.#bySession.set(session, mine);
    const known = mine.get(userId);
    if (known) return known;
    const watch: Watch = {
      watcher,
      userId,
      isOpen: false,
      isConcealed: false,
      doubts: 0,
      checking: undefined,
    };
    mine.set(userId, watch);
    addTo(this.#byUser, userId, watch);
    addTo(this.#byViewer, watcher.viewerId, watch);
    this.#size++;
    return watch;
  }

  async #recheck(watches: Iterable<Watch>): Promise<void> {
    const checks: Promise<void>[] = [];
    for (const watch of watches) {
      watch.doubts++;
      const check = this.#check(watch);
      if (watch.isOpen) checks.push(check);
    }
    await Promise.all(checks);
  }

  /** Resolves when the watch is open or mute by what is so. A check that is under way is made once more. */
  #check(watch: Watch): Promise<void> {
    if (watch.checking) watch.doubts++;
    else watch.checking = this.#checkUntilSure(watch);
    return watch.checking;
  }

  /**
   * Never rejects. While the store is away the watch is mute. The check is over in the turn in which its last doubt is
   * looked at: a doubt that comes later begins another.
   */
  async #checkUntilSure(watch: Watch): Promise<void> {
    try {
      for (let doubts = -1; doubts !== watch.doubts; ) {
        doubts = watch.doubts;
        const may = await this.#init.privacy.maySee(watch.watcher.viewerId, watch.userId);
        if (!this.#isRegistered(watch)) return;
        if (doubts !== watch.doubts) continue;
        if (!may) this.#conceal(watch);
        else if (!watch.isOpen) {
          watch.isOpen = true;
          watch.isConcealed = false;
          this.#tell(watch);
        }
      }
    } catch {
      if (!this.#isRegistered(watch)) return;
      this.#shut(watch);
      this.#unchecked.add(watch);
    } finally {
      watch.checking = undefined;
    }
  }

  #shut(watch: Watch): void {
    if (watch.isOpen) this.#conceal(watch);
  }

  /** Also of a watch that is new here: another instance may have told its watcher before. */
  #conceal(watch: Watch): void {
    watch.isOpen = false;
    if (watch.isConcealed) return;
    watch.isConcealed = true;
    watch.watcher.link.told(watch.userId, HIDDEN, [watch.watcher.session]);
  }

  #tell({ watcher, userId }: Watch): void {
    const presence = this.#init.presenceOf(userId);
    if (presence) watcher.link.told(userId, presence, [watcher.session]);
  }

  async #tellOnceChecked(watch: Watch): Promise<void> {
    watch.doubts++;
    await this.#check(watch);
    if (watch.isOpen && this.#isRegistered(watch)) this.#tell(watch);
  }

  #isRegistered(watch: Watch): boolean {
    return this.#bySession.get(watch.watcher.session)?.get(watch.userId) === watch;
  }

  #remove(watch: Watch): void {
    const { session } = watch.watcher;
    const mine = this.#bySession.get(session);
    mine?.delete(watch.userId);
    if (mine?.size === 0) this.#bySession.delete(session);
    removeFrom(this.#byUser, watch.userId, watch);
    removeFrom(this.#byViewer, watch.watcher.viewerId, watch);
    this.#unchecked.delete(watch);
    this.#size--;
  }
}

function addTo(watches: Map<string, Set<Watch>>, userId: string, watch: Watch): void {
  const known = watches.get(userId) ?? new Set();
  watches.set(userId, known.add(watch));
}

function removeFrom(watches: Map<string, Set<Watch>>, userId: string, watch: Watch): void {
  const known = watches.get(userId);
  known?.delete(watch);
  if (known?.size === 0) watches.delete(userId);
}
