import { type Clock, sleep } from "../base/clock.ts";
import {
  type Grant,
  LEASE_MS,
  type Listing,
  type Offer,
  type Registered,
  type Registry,
  RegistryAway,
  type RegistryChange,
  type RegistryWatcher,
  type ServingState,
} from "./registry.ts";

/** What a lease holds. */
interface Held {
  readonly lease: string;
  readonly entry: Registered;
  readonly expiresAtMs: number;
  readonly load: number | undefined;
}

/** A state that can be put back. */
export interface RegistryBackup {
  readonly held: readonly Held[];
  readonly counters: readonly (readonly [service: string, counter: number])[];
  readonly revision: number;
}

/**
 * A registry in memory that several processes of one program share, with leases by its own clock. Tests and the simulator
 * take it away, lose its leases and put it back to an older state; each process reaches it through a `SharedRegistryClient`.
 */
export class SharedRegistry {
  readonly clock: Clock;
  readonly watchers = new Set<Watching>();
  #held = new Map<string, Held>();
  #counters = new Map<string, number>();
  #revision = 0;
  #history = 0;
  #leases = 0;
  #isAway = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** While it is away nothing is answered, and no lease runs out; when it is back all have their full time. */
  get isAway(): boolean {
    return this.#isAway;
  }

  setAway(isAway: boolean): void {
    this.#isAway = isAway;
    if (!isAway) this.#renewAll();
  }

  /** Lets the lease of an instance run out now. */
  loseLease(service: string, name: string): void {
    const held = this.#find(service, name);
    if (held) this.#remove(held);
  }

  backUp(): RegistryBackup {
    return { held: [...this.#held.values()], counters: [...this.#counters], revision: this.#revision };
  }

  /** Goes back to an older state, or, without one, to the very first: watches end, leases have their full time. */
  restore(backup: RegistryBackup = { held: [], counters: [], revision: 0 }): void {
    this.#held = new Map(backup.held.map((held) => [held.lease, held]));
    this.#counters = new Map(backup.counters);
    this.#revision = backup.revision;
    this.#history++;
    this.#renewAll();
    for (const watching of [...this.watchers]) watching.end();
  }

  register(offer: Offer, above: number): Grant | "taken" {
    if (this.#find(offer.service, offer.name)) return "taken";
    const incarnation = this.nextNumber(offer, Math.max(this.#counters.get(offer.service) ?? 0, above));
    this.#counters.set(offer.service, Math.max(this.#counters.get(offer.service) ?? 0, incarnation));
    const lease = `lease-${++this.#leases}`;
    this.#put({
      lease,
      entry: { ...offer, incarnation },
      expiresAtMs: this.clock.monotonicMs() + LEASE_MS,
      load: undefined,
    });
    this.#expireLater(lease);
    return { lease, incarnation };
  }

  /** The number of a registration; `highest` is the one taken last, or seen by who registers. */
  protected nextNumber(_offer: Offer, highest: number): number {
    return highest + 1;
  }

  keepAlive(lease: string): boolean {
    const held = this.#held.get(lease);
    if (!held) return false;
    this.#held.set(lease, { ...held, expiresAtMs: this.clock.monotonicMs() + LEASE_MS });
    return true;
  }

  setState(lease: string, state: ServingState): boolean {
    const held = this.#held.get(lease);
    if (held) this.#put({ ...held, entry: { ...held.entry, state } });
    return held !== undefined;
  }

  revoke(lease: string): void {
    const held = this.#held.get(lease);
    if (held) this.#remove(held);
  }

  list(service: string): Listing {
    const entries = [...this.#held.values()].map(({ entry }) => entry);
    return {
      entries: entries.filter((entry) => entry.service === service),
      counter: this.#counters.get(service) ?? 0,
      revision: this.#revision,
      history: this.#history,
    };
  }

  tellLoad(lease: string, load: number): void {
    const held = this.#held.get(lease);
    if (held) this.#held.set(lease, { ...held, load });
  }

  loads(service: string): ReadonlyMap<string, number> {
    const own = [...this.#held.values()].filter(({ entry }) => entry.service === service);
    return new Map(own.flatMap(({ entry, load }) => (load === undefined ? [] : [[entry.name, load]])));
  }

  get revision(): number {
    return this.#revision;
  }

  #find(service: string, name: string): Held | undefined {
    for (const held of this.#held.values()) {
      if (held.entry.service === service && held.entry.name === name) return held;
    }
    return undefined;
  }

  #put(held: Held): void {
    this.#held.set(held.lease, held);
    this.#tell(held.entry.service, { kind: "put", entry: held.entry, revision: ++this.#revision });
  }

  #remove({ lease, entry: { service, name, incarnation } }: Held): void {
    this.#held.delete(lease);
    this.#tell(service, { kind: "removed", name, incarnation, revision: ++this.#revision });
  }

  #tell(service: string, change: RegistryChange): void {
    for (const watching of [...this.watchers]) if (watching.service === service) watching.tell(change);
  }

  #renewAll(): void {
    const expiresAtMs = this.clock.monotonicMs() + LEASE_MS;
    for (const [lease, held] of this.#held) {
      this.#held.set(lease, { ...held, expiresAtMs });
      this.#expireLater(lease);
    }
  }

  /** A lease that was kept alive meanwhile is looked at again when it may run out. */
  #expireLater(lease: string): void {
    const held = this.#held.get(lease);
    if (!held) return;
    this.clock.after(Math.max(1, held.expiresAtMs - this.clock.monotonicMs()), () => {
      const now = this.#held.get(lease);
      if (!now || this.#isAway) return; // When it is back, all are looked at anew.
      if (now.expiresAtMs <= this.clock.monotonicMs()) this.#remove(now);
      else this.#expireLater(lease);
    });
  }
}

/** One process's watch of a service. */
export interface Watching {
  readonly service: string;
  tell(change: RegistryChange): void;
  /** What it has still to tell it tells now, in order. */
  tellLate(): void;
  end(): void;
}

/** What stands between a process and the registry. Set by tests; all may change at any time. */
export interface SharedRegistryWay {
  /** Nothing that the process asks arrives. */
  isCut: boolean;
  /** How long an answer takes, in ms; 0 is at once. */
  answerMs: number;
  /** How much later watches tell, in ms. Order is kept. */
  lagMs: number;
}

/** The registry as one process reaches it. */
export class SharedRegistryClient implements Registry {
  readonly way: SharedRegistryWay = { isCut: false, answerMs: 0, lagMs: 0 };
  readonly #shared: SharedRegistry;
  /** Times of what this process waits for: its pauses hold its timers up too. */
  readonly #clock: Clock;
  readonly #watches = new Set<Watching>();

  constructor(shared: SharedRegistry, clock: Clock = shared.clock) {
    this.#shared = shared;
    this.#clock = clock;
  }

  /** Tells this process at once what its watches would tell later. */
  tellLate(): void {
    for (const watching of [...this.#watches]) watching.tellLate();
  }

  /** Ends every watch of this process, as a compacted history or a broken connection does. */
  cutWatches(): void {
    for (const watching of [...this.#watches]) watching.end();
  }

  register(offer: Offer, above: number): Promise<Grant | "taken"> {
    return this.#ask(() => this.#shared.register(offer, above));
  }

  keepAlive(lease: string): Promise<boolean> {
    return this.#ask(() => this.#shared.keepAlive(lease));
  }

  setState(lease: string, state: ServingState): Promise<boolean> {
    return this.#ask(() => this.#shared.setState(lease, state));
  }

  revoke(lease: string): Promise<void> {
    return this.#ask(() => this.#shared.revoke(lease));
  }

  list(service: string): Promise<Listing> {
    return this.#ask(() => this.#shared.list(service));
  }

  tellLoad(lease: string, load: number): Promise<void> {
    return this.#ask(() => this.#shared.tellLoad(lease, load));
  }

  loads(service: string): Promise<ReadonlyMap<string, number>> {
    return this.#ask(() => this.#shared.loads(service));
  }

  /** No history is kept: a watch from an older revision than today's ends, and the caller lists again. */
  watch(service: string, revision: number, watcher: RegistryWatcher): () => void {
    let isOver = false;
    const stop = () => {
      isOver = true;
      this.#shared.watchers.delete(watching);
      this.#watches.delete(watching);
    };
    let lastAtMs = 0;
    const late = new Map<() => void, () => void>();
    /** Timers are rounded and may overtake one another: what is due takes all before it along. */
    const tellUpTo = (last?: () => void) => {
      for (const [run, cancel] of late) {
        late.delete(run);
        cancel();
        run();
        if (run === last) return;
      }
    };
    const later = (run: () => void) => {
      const nowMs = this.#clock.monotonicMs();
      lastAtMs = Math.max(lastAtMs, nowMs + this.way.lagMs); // A lag that ends lets nothing overtake.
      if (lastAtMs <= nowMs && late.size === 0) run();
      else
        late.set(
          run,
          this.#clock.after(lastAtMs - nowMs, () => late.has(run) && tellUpTo(run)),
        );
    };
    const watching: Watching = {
      service,
      tellLate: () => {
        lastAtMs = 0;
        tellUpTo();
      },
      tell: (change) => later(() => isOver || watcher.changed(change)),
      end: () =>
        later(() => {
          if (isOver) return;
          stop();
          watcher.ended();
        }),
    };
    this.#shared.watchers.add(watching);
    this.#watches.add(watching);
    if (this.#isUnreachable || revision !== this.#shared.revision) queueMicrotask(() => watching.end());
    return stop;
  }

  get #isUnreachable(): boolean {
    return this.way.isCut || this.#shared.isAway;
  }

  async #ask<T>(call: () => T): Promise<T> {
    const { answerMs } = this.way;
    if (answerMs > 0) await sleep(this.#clock, answerMs);
    if (this.#isUnreachable) throw new RegistryAway();
    return call();
  }
}
