import type { Clock } from "../base/clock.ts";
import type { Ring, RingView } from "../base/ring.ts";
import { answered } from "./registration.ts";
import { LEASE_MS, type Listing, type Registered, type Registry, type RegistryChange } from "./registry.ts";

/** How long a list is waited for, in ms. */
const LIST_MS = 1_000;

/** After a list that failed, in ms. */
const LIST_AGAIN_MS = 1_000;

export interface MirrorInit {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly service: string;
}

/** What a mirror knows: as RingView says, those that are leaving among them. */
export interface MirrorView extends RingView {
  readonly members: readonly Registered[];
}

const NOT_LOADED: MirrorView = { state: "not_loaded", members: [], number: 0, hidden: 0 };

/**
 * One service's registrations, as a process knows them: listed, watched, and listed again whenever the watch ends. A
 * registry that went back to an older state has lost registrations that will come again: those that are missing there are
 * kept, and the mirror is *stale*, for the time of a lease.
 */
export class Mirror {
  readonly #init: MirrorInit;
  readonly #callbacks = new Set<() => void>();
  /** By name: what the registry holds, as far as is known. */
  #held = new Map<string, Registered>();
  /** By name: what it has lost by going back; empty unless stale. */
  #kept = new Map<string, Registered>();
  #revision = -1;
  #history = 0;
  #number = 0;
  #hidden = 0;
  #view: MirrorView = NOT_LOADED;
  #listing: Promise<boolean> | undefined;
  #stopWatch: (() => void) | undefined;
  #cancelStale: (() => void) | undefined;
  /** Whether the last list was not answered. */
  #isAway = false;
  #isClosed = false;

  constructor(init: MirrorInit) {
    this.#init = init;
  }

  /** Lists and watches, from now on. Resolves to whether the first list was answered. */
  start(): Promise<boolean> {
    return this.listAgain();
  }

  /** Another object after every change, the same one until then. */
  view(): MirrorView {
    return this.#view;
  }

  /** Calls back after every change, until the returned function is called. */
  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  /** Resolves to whether the registry has answered a list that was asked for by this call or later. */
  async listAgain(): Promise<boolean> {
    await this.#listing; // It may have been answered before this call.
    this.#listing ??= this.#list().finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  /**
   * As `listAgain`, but false at once while the registry has left the last list unanswered; it is asked on meanwhile. For
   * what has another way than to wait for it.
   */
  async listUnlessAway(): Promise<boolean> {
    if (!this.#isAway) return this.listAgain();
    if (!this.#listing) void this.listAgain();
    return false;
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWatch?.();
    this.#cancelStale?.();
  }

  async #list(): Promise<boolean> {
    const { registry, clock, service } = this.#init;
    try {
      const listing = await answered(clock, LIST_MS, registry.list(service));
      if (this.#isClosed) return false;
      this.#isAway = false;
      this.#take(listing);
      this.#watch(listing.revision);
      return true;
    } catch {
      this.#isAway = true;
      if (!this.#stopWatch) this.#listLater();
      return false;
    }
  }

  #listLater(): void {
    this.#init.clock.after(LIST_AGAIN_MS, () => {
      if (!this.#isClosed && !this.#stopWatch) void this.listAgain();
    });
  }

  #watch(revision: number): void {
    this.#stopWatch?.();
    const stop = this.#init.registry.watch(this.#init.service, revision, {
      changed: (change) => {
        if (this.#stopWatch === stop) this.#change(change);
      },
      ended: () => {
        if (this.#stopWatch !== stop || this.#isClosed) return;
        this.#stopWatch = undefined;
        void this.listAgain();
      },
    });
    this.#stopWatch = stop;
  }

  #take({ entries, counter, revision, history }: Listing): void {
    const isFirst = this.#revision < 0;
    const wentBack = history !== this.#history || revision < this.#revision || counter < this.#number;
    if (!isFirst && (wentBack || this.#isHidden(entries, counter))) this.#hidden++;
    const before = this.#held;
    this.#held = new Map(entries.map((entry) => [entry.name, entry]));
    if (wentBack && !isFirst) this.#keep(before);
    this.#revision = revision;
    this.#history = history;
    this.#number = Math.max(this.#number, counter, ...entries.map(({ incarnation }) => incarnation));
    this.#changed();
  }

  /** Whether a number was taken by a registration that neither was heard of nor is there now. */
  #isHidden(entries: readonly Registered[], counter: number): boolean {
    const unheard = entries.filter(({ incarnation }) => incarnation > this.#number).length;
    return unheard < counter - this.#number;
  }

  #keep(before: ReadonlyMap<string, Registered>): void {
    for (const [name, entry] of before) this.#kept.set(name, entry);
    this.#cancelStale?.();
    this.#cancelStale = this.#init.clock.after(LEASE_MS, () => {
      this.#cancelStale = undefined;
      this.#kept.clear();
      this.#changed();
    });
  }

  #change(change: RegistryChange): void {
    this.#revision = Math.max(this.#revision, change.revision);
    if (change.kind === "put") {
      this.#held.set(change.entry.name, change.entry);
      this.#number = Math.max(this.#number, change.entry.incarnation);
    } else if (this.#held.get(change.name)?.incarnation === change.incarnation) {
      this.#held.delete(change.name);
    }
    this.#changed();
  }

  #changed(): void {
    const all = new Map([...this.#kept, ...this.#held]);
    this.#view = {
      state: this.#cancelStale ? "stale" : "known",
      members: [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      number: this.#number,
      hidden: this.#hidden,
    };
    for (const callback of [...this.#callbacks]) callback();
  }
}

/** The members of a mirror that serve: of those that are leaving nothing new is asked. */
export function servingRing(mirror: Mirror): Ring {
  let from: MirrorView | undefined;
  let ring: RingView = NOT_LOADED;
  const view = () => {
    if (from === mirror.view()) return ring;
    from = mirror.view();
    ring = { ...from, members: from.members.filter(({ state }) => state === "serving") };
    return ring;
  };
  return {
    view,
    onChange: (callback) => mirror.onChange(callback),
    listAgain: () => mirror.listUnlessAway(),
  };
}
