import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { inTurn } from "../../../store/in-turn.ts";
import type { MessageStore } from "../../../store/message-store.ts";
import { PostgresMessageStore } from "../../../store/postgres/postgres-message-store.ts";
import { PostgresPool } from "../../../store/postgres/postgres-pool.ts";
import { testSeed } from "../../fakes/time/seeded-random.ts";
import { postgresServer } from "../../postgres/postgres-server.ts";
import { quiet } from "../interleaving.ts";
import { play, steps } from "./append-steps.ts";
import { AppendWorld } from "./append-world.ts";

/** Each takes about 0.15 s: every call goes to the database. */
const RUNS = 20;

/** The rows of one history, in tables that all share; knows which of its calls are under way. */
class HistoryStore implements MessageStore {
  readonly #threadId = randomBytes(16);
  readonly #store: MessageStore;
  readonly #calls = new Set<Promise<unknown>>();

  constructor(store: MessageStore) {
    this.#store = store;
  }

  checkAndPut(...[{ bucket }, ...rest]: Parameters<MessageStore["checkAndPut"]>) {
    return this.#under(this.#store.checkAndPut({ threadId: this.#threadId, bucket }, ...rest));
  }

  put(...[{ bucket }, ...rest]: Parameters<MessageStore["put"]>) {
    return this.#under(this.#store.put({ threadId: this.#threadId, bucket }, ...rest));
  }

  get(...[{ bucket }, ...rest]: Parameters<MessageStore["get"]>) {
    return this.#under(this.#store.get({ threadId: this.#threadId, bucket }, ...rest));
  }

  /** Resolves when no call is under way and nothing makes another. */
  async settle(): Promise<void> {
    for (await quiet(); this.#calls.size > 0; await quiet()) await Promise.allSettled(this.#calls);
  }

  #under<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    const end = () => this.#calls.delete(call);
    call.then(end, end);
    return call;
  }
}

/** Compares with the head that is there, not with the one that the caller had seen. */
class BlindStore extends HistoryStore {
  override async checkAndPut(...[row, , ...rest]: Parameters<MessageStore["checkAndPut"]>) {
    const { head } = await this.get(row, { head: true });
    return super.checkAndPut(row, head, ...rest);
  }
}

describe("Appends on Postgres under interleavings (docs/design.md, sections 2 and 5)", function () {
  this.timeout(180_000);

  let pools: readonly PostgresPool[];
  let store: MessageStore;
  before(async () => {
    const { database } = await postgresServer();
    pools = [0, 1].map(() => new PostgresPool({ name: "message", database, callMs: 60_000 }));
    store = inTurn(await Promise.all(pools.map((pool) => PostgresMessageStore.open(pool))));
  });
  after(() => Promise.all(pools.map((pool) => pool.close())));

  for (const bucketSize of [1, 2]) {
    it(`keep promises 1 to 6 at a bucket size of ${bucketSize}, ${RUNS} histories`, async () => {
      let lateWrites = 0;
      const property = fc.asyncProperty(steps, async (history) => {
        lateWrites += (await played(history, bucketSize, new HistoryStore(store))).points.lateWrites;
      });
      await fc.assert(property, { seed: testSeed(), numRuns: RUNS });
      assert.ok(lateWrites > 0, "no history had a late write");
    });
  }

  it("go red where the head that was seen is not what is compared", async () => {
    const property = fc.asyncProperty(steps, async (history) => {
      await played(history, 2, new BlindStore(store));
    });
    const { failed } = await fc.check(property, { seed: testSeed(), numRuns: 100, endOnFailure: true });
    assert.ok(failed);
  });
});

/** Plays one history on its own rows, and waits for the database where the world waits for a turn. */
async function played(history: Parameters<typeof play>[1], bucketSize: number, rows: HistoryStore) {
  const world = new AppendWorld(bucketSize, undefined, rows, () => rows.settle());
  await play(world, history);
  return world;
}
