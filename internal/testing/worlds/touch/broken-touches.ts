import type { TouchAges } from "../../../message/log/touch-ages.ts";
import { TOUCH_COUNTS_MS, TouchLedger } from "../../../message/log/touch-ledger.ts";
import type { Work } from "../../../store/sql/work.ts";
import { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import type { Touch } from "../../../store/thread-store.ts";
import type { TouchVariant, TouchWorld } from "./touch-world.ts";

/** Section 6 of docs/design.md with one half of a rule missing: the property test must see each lose something. */
export const brokenTouches: Readonly<Record<string, TouchVariant>> = {
  /** A touch is thought to be younger than it is: it ends before the send that relied on it. */
  "touch age counted from its confirmation": {
    parts: (parts) => ({ ...parts, ledger: new LateLedger(parts.clock) }),
  },

  /** A send may wait long between its decision and its entry; the touch is over by then. */
  "age judged when the send is decided": {
    parts(parts) {
      const ledger = new DecidedLedger(parts.clock);
      return {
        ...parts,
        ledger,
        gate: (inner) => ({
          cover: (log) => inner.cover(log),
          pass(log, entries) {
            ledger.isDecided = true;
            const passing = inner.pass(log, entries);
            ledger.isDecided = false;
            return passing;
          },
        }),
      };
    },
  },

  /** A device syncs between the version and the row: it has passed the version and never gets the row. */
  "version taken before its transaction": { store: (world) => new EarlyVersions(world) },
};

/** Counts a touch from its answer, not from before it was asked for. */
class LateLedger extends TouchLedger {
  override confirmed(ages: TouchAges, members: readonly string[]): void {
    super.confirmed(ages, members, this.beforeSending());
  }
}

/** Thinks, while a send is decided, that every touch is in force. */
class DecidedLedger extends TouchLedger {
  isDecided = false;

  override uncovered(ages: TouchAges, members: readonly string[], withinMs: number): readonly string[] {
    return this.isDecided && withinMs === TOUCH_COUNTS_MS ? [] : super.uncovered(ages, members, withinMs);
  }
}

/** Takes versions in a transaction of their own, some time before the one that writes the rows. */
class EarlyVersions extends SqliteThreadStore {
  readonly #world: TouchWorld;
  #early: Map<string, number> | undefined;

  constructor(world: TouchWorld) {
    super({ path: ":memory:", clock: world.clock });
    this.#world = world;
  }

  override async touch(touches: readonly Touch[]): Promise<void> {
    const early = await this.#takeEarly(touches.flatMap(({ ownerIds }) => ownerIds));
    await this.write(0, () => this.#with(early, this.applyTouches(touches)));
  }

  override async setMuted(ownerId: string, threadId: Uint8Array, isMuted: boolean) {
    const early = await this.#takeEarly([ownerId]);
    this.#early = early;
    try {
      // The base class takes the version inside; it gets the early one. Nothing else runs in that turn.
      return await super.setMuted(ownerId, threadId, isMuted);
    } finally {
      this.#early = undefined;
    }
  }

  async #takeEarly(owners: readonly string[]): Promise<Map<string, number>> {
    const take = (owner: string) => super.takeVersion(owner);
    const early = await this.write(0, function* () {
      const taken = new Map<string, number>();
      for (const owner of owners) taken.set(owner, yield* take(owner));
      return taken;
    });
    await this.#world.points.call("thread", "transaction", false, async () => {}).catch(() => {});
    return early;
  }

  *#with<T>(early: Map<string, number>, work: Work<T>): Work<T> {
    this.#early = early;
    try {
      return yield* work;
    } finally {
      this.#early = undefined;
    }
  }

  protected override *takeVersion(ownerId: string): Work<number> {
    return this.#early?.get(ownerId) ?? (yield* super.takeVersion(ownerId));
  }
}
