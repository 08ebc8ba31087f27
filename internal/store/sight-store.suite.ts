import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { directThreadId, participants } from "../base/thread-id.ts";
import type { StoreClock } from "./device-store.suite.ts";
import { member, owner, SampleGroup, type SampleStores, users } from "./sample-group.ts";
import type { SightStore } from "./sight-store.ts";

type Current = () => { readonly store: SampleStores & SightStore; readonly clock: StoreClock };

/** What every SightStore must do: the part of threadStoreSuite that is about who has written where. */
export function sightStoreTests(current: Current): void {
  const shows = async (viewer: string, user: string) => {
    const { isShown, unknown } = await current().store.sight(viewer, user, directThreadId(viewer, user));
    assert.deepEqual(unknown, []);
    return isShown;
  };

  it("shows one of a direct thread to the other when it has written, and not before", async () => {
    const { store } = current();
    const [ann, bob] = users(2);
    const id = directThreadId(ann, bob);
    assert.equal(await store.noteWriter(id, ann, 1), false, "no row, nothing to note");
    await store.createDirect(id, participants(ann, bob));
    assert.deepEqual([await shows(ann, bob), await shows(bob, ann)], [false, false]);
    assert.equal(await store.noteWriter(id, ann, 1), true);
    assert.equal(await store.noteWriter(id, ann, 2), false);
    assert.deepEqual([await shows(ann, bob), await shows(bob, ann)], [false, true]);
    assert.deepEqual([await store.hasWritten(id, ann), await store.hasWritten(id, bob)], ["yes", "no"]);
  });

  it("takes no version for it", async () => {
    const { store } = current();
    const [ann, bob] = users(2);
    const id = directThreadId(ann, bob);
    await store.createDirect(id, participants(ann, bob));
    await store.noteWriter(id, ann, 1);
    assert.equal((await store.get(ann, [id]))[0]?.version, 1);
  });

  it("shows to members of a group who made it, to the added who added them, and who has written", async () => {
    const { store, clock } = current();
    const [ann, bob, cid, dee] = users(4);
    const group = new SampleGroup(store, clock);
    await group.project(1, { name: "Group", sender: ann, added: [owner(ann), member(bob)] });
    assert.deepEqual([await shows(bob, ann), await shows(ann, bob)], [true, false]);
    await group.project(2, { sender: bob, added: [member(cid)] });
    assert.deepEqual(
      [await shows(cid, bob), await shows(bob, cid), await shows(ann, bob)],
      [true, false, false],
    );
    await store.noteWriter(group.id, cid, 3);
    assert.deepEqual(
      [await shows(ann, cid), await shows(bob, cid), await shows(dee, cid)],
      [true, true, false],
    );
  });

  it("forgets it with the membership: one who comes again has not written", async () => {
    const { store, clock } = current();
    const [ann, bob] = users(2);
    const group = await SampleGroup.made(store, clock, [ann, bob]);
    await store.noteWriter(group.id, bob, 2);
    await group.project(3, { removed: [bob] });
    assert.equal(await shows(ann, bob), false);
    await group.project(4, { added: [member(bob)] });
    assert.equal(await shows(ann, bob), false);
    assert.equal(await store.noteWriter(group.id, bob, 2), false, "an entry of before it came again");
    assert.equal(await shows(ann, bob), false);
    assert.equal(await store.noteWriter(group.id, bob, 5), true);
    assert.equal(await shows(ann, bob), true);
  });

  it("takes from the log only what it does not know", async () => {
    const { store } = current();
    const [ann, bob] = users(2);
    const id = directThreadId(ann, bob);
    await store.createDirect(id, participants(ann, bob));
    await store.learnWriters(id, [ann, bob], { writers: new Map([[ann, 1]]), changes: new Map() });
    assert.equal(await shows(bob, ann), false);
    assert.equal(await store.hasWritten(new Uint8Array(randomBytes(16)), ann), "no");
  });
}
