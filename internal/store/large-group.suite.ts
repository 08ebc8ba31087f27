import assert from "node:assert/strict";
import { hex } from "../base/ids.ts";
import type { StoreClock } from "./device-store.suite.ts";
import { ids, member, SampleGroup, type SampleStores, users } from "./sample-group.ts";
import { ACTIVE_MS, type ThreadRow } from "./thread-store.ts";

type Current = () => { readonly store: SampleStores; readonly clock: StoreClock };

/** What every GroupStore must do with large groups (docs/design.md, section 6). */
export function largeGroupTests(current: Current): void {
  it("mark the rows of all members with the entry that makes one", async () => {
    const { store, clock } = current();
    const [ann, bob, cid, dan] = users(4);
    const group = await SampleGroup.made(store, clock, [ann, bob, cid]);
    await group.project(5, { removed: [cid] });
    await group.project(6, { added: [member(dan)], isLarge: true });
    const rows = await store.rowsOf(group.id, [ann, bob, cid, dan]);
    const seen = new Map(rows.map((row) => [row.ownerId, [row.group?.isLarge, row.version]]));
    assert.deepEqual(
      [seen.get(ann), seen.get(bob), seen.get(dan)],
      [
        [true, 2],
        [true, 2],
        [true, 1],
      ],
    );
    assert.deepEqual(seen.get(cid), [false, 2]);
    assert.deepEqual(
      await store.largeGroupCounts([ann, cid, dan]),
      new Map([
        [ann, 1],
        [cid, 0],
        [dan, 1],
      ]),
    );
    await group.project(7, { added: [member(cid)], isLarge: true });
    await group.project(8, { removed: [ann], isLarge: true });
    assert.deepEqual(
      await store.largeGroupCounts([ann, cid]),
      new Map([
        [ann, 0],
        [cid, 1],
      ]),
    );
  });

  it("come with every sync after the rows, each once, whatever the cursor", async () => {
    const { store, clock } = current();
    const [ann] = users(1);
    const groups: SampleGroup[] = [];
    for (let at = 0; at < 5; at++) groups.push(await SampleGroup.made(store, clock, [ann], true));
    const small = await SampleGroup.made(store, clock, [ann]);
    await clock.jumpWall(2 * ACTIVE_MS);
    await store.setMuted(ann, (groups[2] as SampleGroup).id, true); // Version 7: part of it by its row.
    const cursor = { version: 6, atMs: clock.nowMs() };
    const sorted = groups.map(({ id }) => hex(id)).sort();
    const muted = hex((groups[2] as SampleGroup).id);
    const others = sorted.filter((id) => id !== muted);

    const whole = await store.sync(ann, cursor, 0, 10);
    assert.deepEqual([ids(whole.rows), ids(whole.large), whole.hasMore], [[muted], others, false]);
    const pages: string[][] = [];
    let place = { version: 0, large: new Uint8Array(16) };
    for (let more = true; more; ) {
      const page = await store.sync(ann, cursor, place.version, 2, place.large);
      pages.push([...ids(page.rows), ...ids(page.large)]);
      more = page.hasMore;
      place = {
        version: page.rows.at(-1)?.version ?? place.version,
        large: new Uint8Array(page.large.at(-1)?.threadId ?? place.large),
      };
    }
    assert.deepEqual(pages.flat(), [muted, ...others]);
    assert.ok(pages.every((page) => page.length <= 2));

    const all = await store.sync(ann, undefined, 0, 10); // Of a full sync they are part by their rows.
    assert.deepEqual([all.rows.length, all.large, ids(all.rows).includes(hex(small.id))], [6, [], true]);
    const full = await store.sync(ann, cursor, 0, 1);
    assert.deepEqual([ids(full.rows), full.large, full.hasMore], [[muted], [], true]);
  });

  it("leave the syncs of those who leave them, by their rows", async () => {
    const { store, clock } = current();
    const [ann, bob] = users(2);
    const group = await SampleGroup.made(store, clock, [ann, bob], true);
    await clock.jumpWall(2 * ACTIVE_MS);
    const cursor = { version: 1, atMs: clock.nowMs() + 2 * ACTIVE_MS };
    assert.deepEqual(ids((await store.sync(ann, cursor, 0, 10)).large), [hex(group.id)]);
    await group.project(4, { removed: [ann], isLarge: true });
    const page = await store.sync(ann, cursor, 0, 10);
    assert.deepEqual([ids(page.rows), page.large], [[hex(group.id)], []]);
    assert.deepEqual((await store.sync(ann, { ...cursor, version: 2 }, 0, 10)).rows, []);
  });

  it("are listed by their activity row, whose time and hint never go down", async () => {
    const { store, clock } = current();
    const [ann, bob] = users(2);
    const large = await SampleGroup.made(store, clock, [ann, bob], true);
    await clock.jumpWall(1_000);
    const small = await SampleGroup.made(store, clock, [ann]);
    await clock.jumpWall(1_000);
    const other = await SampleGroup.made(store, clock, [ann], true);
    const names = async (limit: number, before?: ThreadRow) => ids(await store.list(ann, limit, before));
    assert.deepEqual(await names(10), [hex(other.id), hex(small.id), hex(large.id)]);
    await clock.jumpWall(1_000);
    await store.noteActivity(large.id, 5);
    assert.deepEqual(await names(10), [hex(large.id), hex(other.id), hex(small.id)]);
    const [first, second] = await store.list(ann, 2);
    assert.deepEqual([first?.updatedAtMs, first?.headBucket], [clock.nowMs(), 5]);
    assert.deepEqual(await names(1, first), [hex(other.id)]);
    assert.deepEqual(await names(1, second), [hex(small.id)]);
    await clock.jumpWall(-10_000);
    await store.noteActivity(large.id, 2);
    await clock.jumpWall(10_000);
    const row = await large.row(bob);
    assert.deepEqual([row.updatedAtMs, row.headBucket, row.version], [first?.updatedAtMs, 5, 1]);
  });
}
