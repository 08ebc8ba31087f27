import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { Client } from "pg";
import type { RosterEntry } from "../../base/group.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { fillTables, scansOf } from "../../testing/postgres/filled-tables.ts";
import { freshDatabase } from "../../testing/postgres/fresh-database.ts";
import { PostgresMessageStore } from "./postgres-message-store.ts";
import { PostgresPool } from "./postgres-pool.ts";
import { PostgresThreadStore } from "./postgres-thread-store.ts";

/** Plans change with the size: by hand for a large one, as HEDDLE_TEST_THREADS=200000. */
const THREADS = Number(process.env.HEDDLE_TEST_THREADS ?? 20_000);
const FILLING = { owners: 10_000, threads: THREADS, cells: 10 * THREADS };
/** Past the first five Postgres may take a plan that fits any values. */
const TIMES = 8;

const idOf = (text: string) => new Uint8Array(createHash("md5").update(text).digest());
/** A direct thread of u1. */
const OWN = idOf(`t${FILLING.owners + 1}`);
/** A group, and its members. */
const GROUP = idOf("g0");
const USERS = Array.from({ length: 10 }, (_, at) => `u${at}`);

interface Stores {
  readonly threads: PostgresThreadStore;
  readonly messages: PostgresMessageStore;
}

interface Call {
  readonly run: (stores: Stores, time: number) => Promise<unknown>;
  /** Rows of one user are in one of 8 partitions: no other is looked at. */
  readonly partitions?: number;
}

const change = (time: number): RosterEntry => ({
  threadId: idOf("g1"),
  seq: time + 2,
  ordinal: 0,
  previousSeq: time + 1,
  createdAtMs: 0,
  sender: "u1",
  requestId: randomBytes(16),
  name: `group ${time}`,
  added: time === 0 ? [{ userId: "u500", role: "member" }] : [],
  removed: time === 1 ? ["u500"] : [],
  changed: [],
  memberCount: 10,
  isLarge: false,
});

const SEEN = { version: 2, atMs: 1_000 };
const ROW = { threadId: idOf("r1").slice(0, 16), bucket: 0 };
const TAG = new Uint8Array(8);

/** Nobody minds reading these. */
const ONE_ROW = ["meta", "migration", "deployment"];

/** Every call of both stores. */
const CALLS: Readonly<Record<string, Call>> = {
  createDirect: {
    run: ({ threads }, time) => threads.createDirect(directThreadId("u1", `v${time}`), ["u1", `v${time}`]),
    partitions: 8,
  },
  "touch of one": {
    run: ({ threads }) => threads.touch([{ threadId: OWN, ownerIds: ["u1"], headBucket: 1 }]),
    partitions: 1,
  },
  "touch of a group": {
    run: ({ threads }) => threads.touch([{ threadId: GROUP, ownerIds: USERS, headBucket: 1 }]),
    partitions: 8,
  },
  get: { run: ({ threads }) => threads.get("u1", [OWN, GROUP]) },
  list: { run: ({ threads }) => threads.list("u1", 50, { updatedAtMs: 15_000, threadId: GROUP }) },
  "sync of all": { run: ({ threads }) => threads.sync("u1", undefined, 0, 200) },
  "sync of what is new": { run: ({ threads }) => threads.sync("u1", SEEN, 2, 200) },
  knows: { run: ({ threads }) => threads.knows({ era: 1, mark: 1 }), partitions: 0 },
  setMuted: { run: ({ threads }, time) => threads.setMuted("u1", OWN, time % 2 === 0) },
  raiseRead: {
    run: ({ threads }, time) =>
      threads.raiseRead([{ ownerId: "u1", threadId: OWN, readSeq: time, readOrdinal: time }]),
  },
  roster: { run: ({ threads }) => threads.roster(GROUP), partitions: 0 },
  project: { run: ({ threads }, time) => threads.project(change(time), 0), partitions: 8 },
  changeSeq: { run: ({ threads }) => threads.changeSeq(GROUP, "u0", GROUP), partitions: 0 },
  noteActivity: { run: ({ threads }) => threads.noteActivity(GROUP, 1), partitions: 0 },
  rowsOf: { run: ({ threads }) => threads.rowsOf(GROUP, USERS), partitions: 8 },
  memberPage: { run: ({ threads }) => threads.memberPage(GROUP, "u0", "", 100), partitions: 8 },
  groupsOf: { run: ({ threads }) => threads.groupsOf("u1"), partitions: 0 },
  largeGroupCounts: { run: ({ threads }) => threads.largeGroupCounts(USERS), partitions: 8 },
  shareGroup: { run: ({ threads }) => threads.shareGroup("u1", "u2"), partitions: 0 },
  noteWriter: { run: ({ threads }, time) => threads.noteWriter(OWN, "u1", time + 1) },
  hasWritten: { run: ({ threads }) => threads.hasWritten(OWN, "u1") },
  sight: { run: ({ threads }) => threads.sight("u1", "u2", OWN), partitions: 2 },
  setBlocked: {
    run: ({ threads }, time) =>
      threads.setBlocked(directThreadId("u1", "u9"), { ownerId: "u1", otherUserId: "u9" }, time % 2 === 0),
    partitions: 2,
  },
  blocksBetween: { run: ({ threads }) => threads.blocksBetween("u1", USERS), partitions: 0 },
  listBlocked: { run: ({ threads }) => threads.listBlocked("u1", "", 100), partitions: 0 },
  openDevice: { run: ({ threads }, time) => threads.openDevice("u1", `new ${time}`, ["d0"]), partitions: 0 },
  listDevices: { run: ({ threads }) => threads.listDevices("u1"), partitions: 0 },
  revokedDevices: { run: ({ threads }) => threads.revokedDevices("u1", ["d0", "d1"]), partitions: 0 },
  revokeDevice: { run: ({ threads }) => threads.revokeDevice("u1", "d2"), partitions: 0 },
  readProfiles: { run: ({ threads }) => threads.readProfiles(USERS), partitions: 0 },
  noteProfile: {
    run: ({ threads }, time) => threads.noteProfile("u1", { displayName: `n ${time}` }),
    partitions: 0,
  },
  setProfile: {
    run: ({ threads }, time) => threads.setProfile("u1", { displayName: `n ${time}`, pictureUrl: "" }),
    partitions: 0,
  },
  readVisibility: { run: ({ threads }) => threads.readVisibility("u1"), partitions: 0 },
  setVisibility: { run: ({ threads }) => threads.setVisibility("u1", "nobody"), partitions: 0 },
  "first append": {
    run: ({ messages }, time) =>
      messages.checkAndPut({ threadId: idOf(`new ${time}`), bucket: 0 }, undefined, TAG, [
        { seq: 1, tag: TAG, value: TAG },
      ]),
    partitions: 0,
  },
  "next append": {
    run: ({ messages }, time) =>
      messages.checkAndPut(ROW, time === 0 ? undefined : TAG, TAG, [{ seq: time + 1, tag: TAG, value: TAG }]),
    partitions: 0,
  },
  put: {
    run: ({ messages }, time) => messages.put(ROW, "r", [{ qualifier: TAG, timestamp: time, value: TAG }]),
    partitions: 0,
  },
  "get of a head": { run: ({ messages }) => messages.get(ROW, { head: true }), partitions: 0 },
  "get of entries": {
    run: ({ messages }) =>
      messages.get(ROW, { head: true, entries: { fromSeq: 1, toSeq: 50, keysOnly: false } }),
    partitions: 0,
  },
  "get of keys": {
    run: ({ messages }) => messages.get(ROW, { entries: { fromSeq: 1, toSeq: 50, keysOnly: true } }),
    partitions: 0,
  },
  "get of cells": {
    run: ({ messages }) => messages.get(ROW, { family: "r", prefix: TAG.slice(0, 4) }),
    partitions: 0,
  },
};

describe(`Plans on ${THREADS} thread rows and ${FILLING.cells} cells`, function () {
  this.timeout("5m");
  let client: Client;
  let database: Awaited<ReturnType<typeof freshDatabase>>["database"];
  before(async () => {
    ({ client, database } = await freshDatabase());
    await using(async () => {});
    await fillTables(client, FILLING);
  });
  after(() => client.end());

  /** Counts of a connection are there once it has ended, so each has stores of its own. */
  async function using(work: (stores: Stores) => Promise<void>): Promise<void> {
    const pools = (["thread", "message"] as const).map(
      (name) => new PostgresPool({ name, database, maxConnections: 1 }),
    );
    const [threadPool, messagePool] = pools as [PostgresPool, PostgresPool];
    const threads = await PostgresThreadStore.open(threadPool, new FakeClock());
    const messages = await PostgresMessageStore.open(messagePool);
    await work({ threads, messages }).finally(() => Promise.all(pools.map((pool) => pool.close())));
    const ended =
      "SELECT FROM pg_stat_activity WHERE application_name = 'heddle' AND datname = current_database()";
    while (((await client.query(ended)).rowCount ?? 0) > 0);
  }

  /** What a call has read: tables from end to end, and partitions of thread rows by an index. */
  async function readBy(run: Call["run"]) {
    const before = await scansOf(client);
    await using(async (stores) => {
      for (let time = 0; time < TIMES; time++) await run(stores, time);
    });
    const after = [...(await scansOf(client))];
    const grown = (of: "whole" | "byIndex") =>
      after.filter(([table, now]) => now[of] > (before.get(table)?.[of] ?? 0)).map(([table]) => table);
    return {
      whole: grown("whole").filter((table) => !ONE_ROW.includes(table)),
      partitions: grown("byIndex").filter((table) => /^thread_\d/.test(table)),
    };
  }

  for (const [name, { run, partitions = 1 }] of Object.entries(CALLS)) {
    it(`${name} goes by indexes, and looks at ${partitions} partitions at most`, async () => {
      const read = await readBy(run);
      assert.deepEqual(read.whole, [], "tables were read from end to end");
      assert.ok(read.partitions.length <= partitions, `${read.partitions}`);
      assert.ok(read.partitions.length > 0 || partitions === 0, "no thread row was looked for");
    });
  }

  it("have rows to find", async () => {
    await using(async ({ threads, messages }) => {
      assert.equal((await threads.get("u1", [OWN, GROUP])).length, 2);
      assert.equal((await threads.rowsOf(GROUP, USERS)).length, USERS.length);
      assert.equal((await threads.roster(GROUP))?.members.size, USERS.length);
      assert.ok((await messages.get(ROW, { head: true })).head);
    });
  });

  it("would tell of a table that is read from end to end, and of a partition too many", async () => {
    await client.query("DROP INDEX member_user");
    const { whole } = await readBy(({ threads }) => threads.groupsOf("u1"));
    assert.deepEqual(whole, ["member"]);
    const read = await readBy(({ threads }) => threads.rowsOf(GROUP, USERS));
    assert.ok(read.partitions.length > 1);
  });
});
