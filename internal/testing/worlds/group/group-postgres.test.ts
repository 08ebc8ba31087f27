import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import type { Client } from "pg";
import { inTurn } from "../../../store/in-turn.ts";
import type { MessageStore } from "../../../store/message-store.ts";
import { PostgresMessageStore } from "../../../store/postgres/postgres-message-store.ts";
import { PostgresPool } from "../../../store/postgres/postgres-pool.ts";
import { PostgresThreadStore } from "../../../store/postgres/postgres-thread-store.ts";
import { Directory } from "../../../thread/directory.ts";
import { testSeed } from "../../fakes/time/seeded-random.ts";
import { freshDatabase } from "../../postgres/fresh-database.ts";
import { HistoryCalls } from "../history/history-calls.ts";
import { groupSteps, playGroup } from "./group-steps.ts";
import { GroupWorld } from "./group-world.ts";

/** Each takes about 0.1 s: every call goes to the database. */
const RUNS = 50;

/** Tables of a history, which has them for itself. */
const EMPTY = ["thread", "owner", "group_thread", "member", "group_change", "activity"]
  .map((table) => `DELETE FROM ${table}`)
  .join("; ");

describe("Appends and changes of a group on Postgres under interleavings (docs/design.md, sections 5 and 6)", function () {
  this.timeout(180_000);

  let client: Client;
  let pools: readonly PostgresPool[];
  let messages: readonly PostgresMessageStore[];
  let threads: readonly PostgresThreadStore[];
  const clock = { nowMs: () => 0, monotonicMs: () => performance.now(), after: () => () => {} };
  before(async () => {
    const { database, ...fresh } = await freshDatabase();
    client = fresh.client;
    const pool = (name: "message" | "thread") => new PostgresPool({ name, database, callMs: 60_000 });
    const ofMessages = [pool("message"), pool("message")];
    const ofThreads = [pool("thread"), pool("thread")];
    pools = [...ofMessages, ...ofThreads];
    messages = await Promise.all(ofMessages.map((one) => PostgresMessageStore.open(one)));
    threads = await Promise.all(ofThreads.map((one) => PostgresThreadStore.open(one, clock)));
  });
  after(async () => {
    await Promise.all(pools.map((pool) => pool.close()));
    await client.end();
  });

  /** One history in empty tables. `broken` replaces methods of the thread store. */
  async function played(history: Parameters<typeof playGroup>[1], broken: Partial<PostgresThreadStore> = {}) {
    await client.query(EMPTY);
    const calls = new HistoryCalls();
    const rows = inTurn(threads);
    const store = new Proxy(rows, { get: (_, name) => Reflect.get(broken, name) ?? Reflect.get(rows, name) });
    const world = new GroupWorld(2, undefined, {
      store: calls.noting(ownLog(inTurn(messages))),
      groups: calls.noting(new Directory(store)),
      settle: () => calls.settle(),
    });
    await playGroup(world, history);
    return world;
  }

  it(`are judged by the members there, ${RUNS} histories`, async () => {
    const seen = { changes: 0, accepted: 0, late: 0 };
    const property = fc.asyncProperty(groupSteps, async (history) => {
      const { changes, posts, points } = await played(history);
      seen.changes += changes.filter(({ seqs }) => seqs.length > 0).length;
      seen.accepted += posts.filter(({ accepted }) => accepted.length > 0).length;
      seen.late += points.lateWrites;
    });
    await fc.assert(property, { seed: testSeed(), numRuns: RUNS });
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `no history had ${what}`);
  });

  it("go red where it is forgotten which request made an entry", async () => {
    const property = fc.asyncProperty(groupSteps, async (history) => {
      await played(history, { changeSeq: async () => undefined });
    });
    const { failed } = await fc.check(property, { seed: testSeed(), numRuns: 300, endOnFailure: true });
    assert.ok(failed);
  });
});

/** A log of its own in tables that all histories share. */
function ownLog(store: MessageStore): MessageStore {
  const threadId = randomBytes(16);
  return {
    checkAndPut: ({ bucket }, ...rest) => store.checkAndPut({ threadId, bucket }, ...rest),
    put: ({ bucket }, ...rest) => store.put({ threadId, bucket }, ...rest),
    get: ({ bucket }, ...rest) => store.get({ threadId, bucket }, ...rest),
  };
}
