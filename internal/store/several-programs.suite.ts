import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { directThreadId } from "../base/thread-id.ts";
import type { StoreClock } from "./device-store.suite.ts";
import { member, owner, SampleGroup, type SampleStores, users } from "./sample-group.ts";

/** Often enough that an order which loses something is met. */
const ROUNDS = 20;

interface Programs {
  readonly stores: readonly [SampleStores, SampleStores];
  readonly clock: StoreClock;
}

/** What two programs on one database may rely on, the second one's clock 20 s slow: a part of threadStoreSuite. */
export function severalProgramsTests(current: () => Programs): void {
  it("count a touch from the store's clock: that of a slow program is in the Sync after the next", async () => {
    const { clock, stores } = current();
    const [store, slow] = stores;
    const { ann, id } = await madePair(store);
    const before = await store.sync(ann, undefined, 0, 10);
    await slow.touch([{ threadId: id, ownerIds: [ann], headBucket: 0 }]);
    await clock.jumpWall(45_000); // Up to here the touch covers an entry.
    const first = await store.sync(ann, { version: before.version, atMs: before.nowMs }, 0, 10);
    const second = await store.sync(ann, { version: first.version, atMs: first.nowMs }, 0, 10);
    assert.equal(second.rows.length, 1);
  });

  it("raise a read position at once: the higher one stays", async () => {
    const { stores } = current();
    const { ann, id } = await madePair(stores[0]);
    for (let seq = 10; seq < 10 + 2 * ROUNDS; seq += 2) {
      const raise = (readSeq: number, at: 0 | 1) =>
        stores[at].raiseRead([{ ownerId: ann, threadId: id, readSeq, readOrdinal: readSeq }]);
      await Promise.all([raise(seq + 1, 0), raise(seq, 1)]);
      const [row] = await stores[0].get(ann, [id]);
      assert.deepEqual([row?.readSeq, row?.readOrdinal], [seq + 1, seq + 1]);
    }
  });

  it("project late, and at once: nothing goes back, nobody is dropped", async () => {
    const { stores, clock } = current();
    for (let round = 0; round < ROUNDS / 2; round++) {
      const group = new SampleGroup(stores[0], clock);
      const [ann, bob, cid] = users(3);
      const entries = [
        group.entry(1, { previousSeq: 0, name: "One", added: [owner(ann)] }),
        group.entry(2, { previousSeq: 1, name: "Two", added: [member(bob)] }),
        group.entry(3, { previousSeq: 2, name: "Three", added: [member(cid)] }),
      ] as const;
      const project = async (at: 0 | 1, ...seqs: readonly (1 | 2 | 3)[]) => {
        for (const seq of seqs) await stores[at].project(entries[seq - 1] as (typeof entries)[0], 0);
      };
      await Promise.all([project(0, 1, 2, 3), project(1, 1, 2, 3), project(0, 1, 2), project(1, 1, 2)]);
      const roster = await stores[0].roster(group.id);
      assert.deepEqual([roster?.appliedSeq, roster?.name], [3, "Three"]);
      assert.deepEqual([...(roster?.members.keys() ?? [])], [ann, bob, cid]);
      for (const user of [ann, bob, cid]) assert.equal((await group.row(user)).version, 1);
    }
  });

  it("touch and make rows of the same owners in any order: all are answered, no version is given twice", async () => {
    const { stores } = current();
    const [first, second] = [await madePair(stores[0]), await madePair(stores[1])];
    const ids = [first.id, second.id];
    const owners = [first.ann, first.bob, second.ann, second.bob];
    const pairs = owners.flatMap((a) => owners.filter((b) => a < b).map((b) => [a, b] as const));
    const touch = (at: 0 | 1, ownerIds: readonly string[]) =>
      stores[at].touch(ids.map((threadId) => ({ threadId, ownerIds, headBucket: 0 })));
    await Promise.all([
      ...Array.from({ length: 10 }, () => touch(0, owners)),
      ...Array.from({ length: 10 }, () => touch(1, owners.toReversed())),
      ...pairs.flatMap((pair) => stores.map((store) => store.createDirect(directThreadId(...pair), pair))),
    ]);
    const page = await stores[0].sync(first.ann, undefined, 0, 100);
    const versions = page.rows.map((row) => row.version);
    assert.equal(new Set(versions).size, 3);
    assert.equal(page.version, 1 + 20 + 2);
  });
}

async function madePair(store: SampleStores) {
  const stem = `u${randomBytes(6).toString("hex")}`;
  const [ann, bob] = [`${stem}.a`, `${stem}.b`];
  const id = directThreadId(ann, bob);
  await store.createDirect(id, [ann, bob]);
  return { ann, bob, id };
}
