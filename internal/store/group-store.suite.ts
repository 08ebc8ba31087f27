import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { hex } from "../base/ids.ts";
import type { StoreClock } from "./device-store.suite.ts";
import { largeGroupTests } from "./large-group.suite.ts";
import { ids, member, owner, SampleGroup, type SampleStores, users } from "./sample-group.ts";
import { ACTIVE_MS } from "./thread-store.ts";

type Current = () => { readonly store: SampleStores; readonly clock: StoreClock };

/** What every GroupStore must do: the part of threadStoreSuite that is about groups. */
export function groupStoreTests(current: Current): void {
  describe("projection", () => projectionTests(current));
  describe("rows", () => rowTests(current));
  describe("large groups", () => largeGroupTests(current));
  describe("members", () => memberTests(current));
}

function projectionTests(current: Current): void {
  it("knows nothing of a group before its first entry", async () => {
    assert.equal(await current().store.roster(randomBytes(16)), undefined);
  });

  it("applies entries in order, and each once", async () => {
    const { store } = current();
    const group = new SampleGroup(store, current().clock);
    const [ann, bob, cid] = users(3);
    const first = group.entry(1, { previousSeq: 0, name: "Four", added: [owner(ann), member(bob)] });
    assert.equal(await store.project(first, 0), 1);
    const third = group.entry(3, { previousSeq: 2, changed: [owner(bob)] });
    assert.equal(await store.project(third, 0), 1); // The second is missing.
    const second = group.entry(2, { previousSeq: 1, added: [member(cid)], name: "Five" });
    assert.equal(await store.project(second, 0), 2);
    assert.equal(await store.project(third, 0), 3);
    const before = await store.roster(group.id);
    for (const again of [first, second, third]) assert.equal(await store.project(again, 0), 3);
    assert.deepEqual(await store.roster(group.id), before);
    assert.deepEqual([before?.appliedSeq, before?.name, before?.isLarge], [3, "Five", false]);
    assert.deepEqual(
      [...(before?.members.values() ?? [])],
      [
        { userId: ann, role: "owner", joinedSeq: 1 },
        { userId: bob, role: "owner", joinedSeq: 1 },
        { userId: cid, role: "member", joinedSeq: 2 },
      ],
    );
  });

  it("applies an entry once, however many bring it at the same time", async () => {
    const { store, clock } = current();
    const group = new SampleGroup(store, clock);
    const [ann] = users(1);
    const first = group.entry(1, { previousSeq: 0, name: "One", added: [owner(ann)] });
    const applied = await Promise.all(Array.from({ length: 10 }, () => store.project(first, 0)));
    assert.deepEqual(new Set(applied), new Set([1]));
    assert.equal((await group.row(ann)).version, 1);
  });

  it("finds what a request made, by its sender", async () => {
    const { store, clock } = current();
    const group = new SampleGroup(store, clock);
    const [ann, bob] = users(2);
    const first = group.entry(1, { previousSeq: 0, name: "One", added: [owner(ann)] });
    await store.project(first, 0);
    assert.equal(await store.changeSeq(group.id, first.sender, first.requestId), 1);
    assert.equal(await store.changeSeq(group.id, bob, first.requestId), undefined);
    assert.equal(await store.changeSeq(group.id, first.sender, randomBytes(16)), undefined);
    assert.equal(await store.changeSeq(randomBytes(16), first.sender, first.requestId), undefined);
  });
}

function rowTests(current: Current): void {
  it("gives each newcomer a row that is read up to the joining entry and counts as touched", async () => {
    const { store, clock } = current();
    const [ann, bob] = users(2);
    const group = await SampleGroup.made(store, clock, [ann]);
    const madeAtMs = group.madeAtMs;
    await clock.jumpWall(5_000);
    await group.project(7, { ordinal: 4, added: [member(bob)] }, 3);
    assert.deepEqual(await group.row(bob), {
      ownerId: bob,
      threadId: group.id,
      kind: "group",
      participants: [],
      isBlocked: false,
      group: {
        name: "Group",
        memberCount: 2,
        isLarge: false,
        role: "member",
        earlier: [],
        joinedSeq: 7,
        membersSeq: 7,
        left: undefined,
      },
      createdAtMs: madeAtMs,
      updatedAtMs: clock.nowMs(),
      isMuted: false,
      readSeq: 7,
      readOrdinal: 4,
      headBucket: 3,
      version: 1,
      activeUntilMs: clock.nowMs() + ACTIVE_MS,
    });
    const { group: view, version } = await group.row(ann);
    assert.deepEqual([view?.memberCount, view?.role, version], [2, "owner", 1]);
    assert.equal(view?.membersSeq, 7, "a row that was not written has what was projected all the same");
  });

  it("shows one who left the group as it was, and nothing of what comes after", async () => {
    const { store, clock } = current();
    const [ann, bob, cid] = users(3);
    const group = await SampleGroup.made(store, clock, [ann, bob]);
    await clock.jumpWall(5_000);
    await group.project(9, { ordinal: 6, removed: [bob] }, 2);
    const left = await group.row(bob);
    assert.deepEqual(left.group, {
      name: "Group",
      memberCount: 1,
      isLarge: false,
      role: undefined,
      earlier: [],
      joinedSeq: 1,
      membersSeq: 9,
      left: { seq: 9, ordinal: 6 },
    });
    const { headBucket, version, updatedAtMs, activeUntilMs } = left;
    const nowMs = clock.nowMs();
    assert.deepEqual([headBucket, version, updatedAtMs, activeUntilMs], [2, 2, nowMs, nowMs + ACTIVE_MS]);
    await group.project(12, { name: "Secret" });
    await group.project(13, { added: [member(cid)] });
    await store.noteActivity(group.id, 9);
    assert.deepEqual(await group.row(bob), left);
    assert.equal((await group.row(ann)).group?.name, "Secret");
  });

  it("takes one who was there before in again, with the mute mark and a raised read position", async () => {
    const { store, clock } = current();
    const [ann, bob] = users(2);
    const group = await SampleGroup.made(store, clock, [ann, bob]);
    await store.setMuted(bob, group.id, true);
    await group.project(5, { ordinal: 3, removed: [bob] });
    await group.project(20, { ordinal: 15, added: [owner(bob)] });
    const row = await group.row(bob);
    assert.deepEqual(row.group, {
      name: "Group",
      memberCount: 2,
      isLarge: false,
      role: "owner",
      earlier: [{ firstSeq: 1, lastSeq: 5 }],
      joinedSeq: 20,
      membersSeq: 20,
      left: undefined,
    });
    assert.deepEqual([row.readSeq, row.readOrdinal, row.isMuted, row.version], [20, 15, true, 4]);
    assert.equal((await store.roster(group.id))?.members.get(bob)?.joinedSeq, 20);
    await group.project(22, { removed: [bob] });
    await group.project(30, { added: [member(bob)] });
    const earlier = [
      { firstSeq: 1, lastSeq: 5 },
      { firstSeq: 20, lastSeq: 22 },
    ];
    assert.deepEqual((await group.row(bob)).group?.earlier, earlier);
    const listed = await store.memberPage(group.id, ann, "", 9);
    assert.deepEqual(
      listed?.map(({ userId, joinedSeq, earlier: before }) => [userId, joinedSeq, before]),
      [
        [ann, 1, []],
        [bob, 30, earlier],
      ].sort(),
    );
  });

  it("takes a version for a changed role, and none where nothing changes", async () => {
    const { store, clock } = current();
    const [ann, bob, cid] = users(3);
    const group = await SampleGroup.made(store, clock, [ann, bob, cid]);
    await group.project(4, { changed: [owner(bob)] });
    const rows = await store.rowsOf(group.id, [ann, bob, cid, "nobody"]);
    const seen = new Map(rows.map((row) => [row.ownerId, [row.group?.role, row.version]]));
    assert.deepEqual(
      [seen.get(ann), seen.get(bob), seen.get(cid), seen.size],
      [["owner", 1], ["owner", 2], ["member", 1], 3],
    );
  });

  it("are listed by recency and synced by version like all others", async () => {
    const { store, clock } = current();
    const [ann, bob] = users(2);
    const first = await SampleGroup.made(store, clock, [ann]);
    await clock.jumpWall(1_000);
    const second = await SampleGroup.made(store, clock, [ann, bob]);
    await clock.jumpWall(1_000);
    await second.project(2, { removed: [ann] });
    assert.deepEqual(ids(await store.list(ann, 10)), [hex(second.id), hex(first.id)]);
    const page = await store.sync(ann, { version: 2, atMs: Number.MAX_SAFE_INTEGER }, 0, 10);
    assert.deepEqual([ids(page.rows), page.large, page.version], [[hex(second.id)], [], 3]);
  });
}

function memberTests(current: Current): void {
  it("are listed to members alone, in pages by user_id", async () => {
    const { store, clock } = current();
    const members = users(5).sort();
    const [first = "", second = "", third = "", fourth = "", fifth = ""] = members;
    const group = await SampleGroup.made(store, clock, [third, first, fifth, second, fourth]);
    const page = async (viewer: string, after: string) =>
      (await store.memberPage(group.id, viewer, after, 2))?.map(({ userId, role }) => [userId, role]);
    assert.deepEqual(await page(first, ""), [
      [first, "member"],
      [second, "member"],
    ]);
    assert.deepEqual(await page(first, second), [
      [third, "owner"],
      [fourth, "member"],
    ]);
    assert.deepEqual(await page(first, fourth), [[fifth, "member"]]);
    assert.deepEqual(await page(first, fifth), []);
    await group.project(2, { removed: [first] });
    assert.equal(await page(first, ""), undefined);
    assert.equal(await page("nobody", ""), undefined);
  });

  it("share a group while both are in it", async () => {
    const { store, clock } = current();
    const [ann, bob, cid] = users(3);
    const group = await SampleGroup.made(store, clock, [ann, bob]);
    await SampleGroup.made(store, clock, [ann, cid]);
    const shared = async () => [await store.shareGroup(ann, bob), await store.shareGroup(bob, cid)];
    assert.deepEqual(await shared(), [true, false]);
    assert.deepEqual(
      (await store.groupsOf(bob)).map((id) => hex(id)),
      [hex(group.id)],
    );
    assert.equal((await store.groupsOf(ann)).length, 2);
    await group.project(2, { removed: [ann] });
    assert.deepEqual(await shared(), [false, false]);
    assert.equal((await store.groupsOf(ann)).length, 1);
  });
}
