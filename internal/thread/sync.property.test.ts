import assert from "node:assert/strict";
import fc from "fast-check";
import { HeddleError } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import { directThreadId } from "../base/thread-id.ts";
import { TOUCH_COUNTS_MS, type TouchAges, TouchLedger } from "../message/touch-ledger.ts";
import { SqliteThreadStore } from "../store/sqlite/sqlite-thread-store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { type Fate, Interleaving } from "../testing/interleaving.ts";
import { Sync } from "./sync.ts";

const OWNER = "ann";
const OTHERS = ["bob", "cid", "dan"];
const RUNS = 500;

/** HEDDLE_TEST_SEED repeats a run; the seed is printed when one fails. */
const seed = Number(process.env.HEDDLE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

interface Device {
  cursor: Uint8Array;
  isSyncing: boolean;
  /** The highest seq that the device has heard of, by thread. From Sync alone. */
  readonly known: Map<string, number>;
}

/**
 * One owner's threads, a message service of which only the touches matter, and devices that only sync. Every call on
 * a port stops before its effect and before its answer, until the history lets it go on; clocks move in between.
 */
class World {
  readonly clock = new FakeClock();
  readonly points = new Interleaving();
  readonly accepted = new Map<string, number>();
  syncs = 0;
  readonly #store = new SqliteThreadStore({ path: ":memory:", clock: this.clock, tick: (run) => run() });
  readonly #committed = new Map<string, number>();
  readonly #ledger = new TouchLedger(this.clock);
  readonly #ages = new Map<string, TouchAges>(OTHERS.map((other) => [other, new Map()]));
  readonly #devices: readonly Device[] = [0, 1, 2].map(() => ({
    cursor: new Uint8Array(0),
    isSyncing: false,
    known: new Map(),
  }));
  readonly #sync = new Sync({
    rows: { sync: (...args) => this.points.call("rows", "thread", false, () => this.#store.sync(...args)) },
    heads: {
      heads: (threads) =>
        this.points.call("heads", "message", false, async () => {
          const head = (key: string) => ({ seq: this.#committed.get(key) ?? 0, ordinal: 0 });
          return new Map(threads.map(({ threadId }) => [hex(threadId), head(hex(threadId))]));
        }),
    },
  });

  async prepare(): Promise<void> {
    for (const other of OTHERS) await this.#store.createDirect(directThreadId(OWNER, other), [OWNER, other]);
    this.clock.advance(3_600_000);
  }

  /** Touches, appends, judges the touch, and only then accepts: docs/design.md, section 6. */
  async send(other: string): Promise<void> {
    await this.#cover(other);
    const key = hex(directThreadId(OWNER, other));
    const seq = await this.points.call("store", "message", true, async () => {
      const next = (this.#committed.get(key) ?? 0) + 1;
      this.#committed.set(key, next);
      return next;
    });
    await this.#cover(other);
    this.accepted.set(key, Math.max(seq, this.accepted.get(key) ?? 0));
  }

  /** What is accepted when a sync begins, its device knows when the sync has ended. */
  async sync(at: number, pageSize: number): Promise<void> {
    const device = this.#devices[at] as Device;
    if (device.isSyncing) return;
    device.isSyncing = true;
    try {
      const before = new Map(this.accepted);
      device.cursor = await this.#pages(device, pageSize);
      this.syncs++;
      for (const [key, seq] of before) {
        assert.ok((device.known.get(key) ?? 0) >= seq, `device ${at} does not know of seq ${seq} of ${key}`);
      }
    } finally {
      device.isSyncing = false;
    }
  }

  /** Sets the wall clock, which the message service notices before it is set again. */
  jump(ms: number): void {
    this.clock.jumpWall(ms);
    this.#ledger.uncovered(new Map(), [], 0);
  }

  /** Lets everything come to rest; then every device syncs undisturbed. */
  async finish(): Promise<void> {
    await this.points.drain();
    this.clock.advance(600_000);
    for (const at of this.#devices.keys()) {
      await Promise.all([this.sync(at, 2), this.points.drain()]);
    }
    await this.#store.close();
  }

  async #cover(other: string): Promise<void> {
    const ages = this.#ages.get(other) as TouchAges;
    if (this.#ledger.uncovered(ages, [OWNER], TOUCH_COUNTS_MS).length === 0) return;
    const sentAtMs = this.#ledger.beforeSending();
    const touch = { threadId: directThreadId(OWNER, other), ownerIds: [OWNER], headBucket: 0 };
    await this.points.call("store", "thread", true, () => this.#store.touch([touch]));
    this.#ledger.confirmed(ages, [OWNER], sentAtMs);
  }

  async #pages(device: Device, pageSize: number): Promise<Uint8Array> {
    let token: Uint8Array = new Uint8Array(0);
    for (;;) {
      const page = await this.#sync.page(OWNER, device.cursor, token, pageSize);
      for (const { row, head } of page.threads) {
        const key = hex(row.threadId);
        device.known.set(key, Math.max(head.seq, device.known.get(key) ?? 0));
      }
      token = page.nextPageToken;
      if (token.length === 0) return page.cursor;
    }
  }
}

type Step = (world: World) => Promise<unknown> | undefined;

function named(name: string, step: Step): Step {
  return Object.assign(step, { toString: () => name });
}

const fate = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fate>("go") },
  { weight: 1, arbitrary: fc.constantFrom<Fate>("lost", "late") },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(...OTHERS)
      .map((other) => named(`send ${other}`, (world) => world.send(other))),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(2), fc.integer({ min: 1, max: 3 }))
      .map(([at, size]) => named(`sync ${at} by ${size}`, (world) => world.sync(at, size))),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 50 }).map((seconds) =>
      named(`pass ${seconds} s`, (world) => {
        world.clock.advance(seconds * 1000);
        return undefined;
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -7_200, max: 7_200 }).map((seconds) =>
      named(`jump ${seconds} s`, (world) => {
        world.jump(seconds * 1000);
        return undefined;
      }),
    ),
  },
  {
    weight: 12,
    arbitrary: fc
      .tuple(fc.nat(5), fc.integer({ min: 1, max: 6 }), fate)
      .map(([pick, times, last]) =>
        named(`advance ${pick} ${times} times, ${last}`, (world) => advance(world, pick, times, last)),
      ),
  },
);

describe("Sync", function () {
  this.timeout(60_000);

  it(`misses no accepted entry, whatever comes between its pages, ${RUNS} histories`, async () => {
    let syncs = 0;
    let accepted = 0;
    const history = fc.array(step, { maxLength: 60, size: "max" });
    const property = fc.asyncProperty(history, async (steps) => {
      const world = new World();
      await world.prepare();
      const faults: unknown[] = [];
      for (const next of steps) await started(next(world), faults, next.toString().startsWith("advance"));
      await world.finish();
      assert.deepEqual(faults, []);
      syncs += world.syncs;
      for (const seq of world.accepted.values()) accepted += seq;
    });
    await fc.assert(property, { numRuns: RUNS, seed });
    assert.ok(syncs > RUNS && accepted > RUNS, `${syncs} syncs of ${accepted} entries prove little`);
  });
});

/** Waits for what lets calls go on; calls themselves stand still, so nobody waits for them. */
async function started(call: Promise<unknown> | undefined, faults: unknown[], waits: boolean): Promise<void> {
  const noted = call?.catch((error) => {
    if (!(error instanceof HeddleError)) faults.push(error);
  });
  if (waits) await noted;
}

async function advance(world: World, pick: number, times: number, last: Fate): Promise<void> {
  for (let turn = 1; turn <= times; turn++) {
    await world.points.advance(pick, turn === times ? last : "go");
  }
}
