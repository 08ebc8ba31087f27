import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { directThreadId, participants } from "../base/thread-id.ts";
import type { BlockStore } from "./block-store.ts";
import type { ThreadStore } from "./thread-store.ts";

/** What every BlockStore must do: the part of threadStoreSuite that is about blocks. */
export function blockStoreTests(current: () => { readonly store: BlockStore & ThreadStore }): void {
  const set = (ownerId: string, otherUserId: string, isBlocked: boolean) =>
    current().store.setBlocked(directThreadId(ownerId, otherUserId), { ownerId, otherUserId }, isBlocked);

  it("makes both rows of the thread, of which only the owner's shows the block", async () => {
    const { store } = current();
    const [ann, bob] = [freshUser(), freshUser()];
    const row = await set(ann, bob, true);
    const id = directThreadId(ann, bob);
    assert.deepEqual([row.isBlocked, row.version, row.participants], [true, 2, participants(ann, bob)]);
    assert.deepEqual(await store.get(ann, [id]), [row]);
    const [theirs] = await store.get(bob, [id]);
    assert.deepEqual([theirs?.isBlocked, theirs?.version], [false, 1]);
    assert.equal((await store.sync(ann, undefined, 0, 10)).rows[0]?.isBlocked, true);
    assert.equal((await store.list(ann, 10))[0]?.isBlocked, true);
  });

  it("takes a version for a change alone", async () => {
    const [ann, bob] = [freshUser(), freshUser()];
    const marks: unknown[] = [];
    for (const isBlocked of [false, true, true, false, false]) {
      const row = await set(ann, bob, isBlocked);
      marks.push([row.isBlocked, row.version]);
    }
    assert.deepEqual(marks, [
      [false, 1],
      [true, 2],
      [true, 2],
      [false, 3],
      [false, 3],
    ]);
  });

  it("knows which user has blocked which, in both directions", async () => {
    const { store } = current();
    const [ann, bob, cid, dan] = [freshUser(), freshUser(), freshUser(), freshUser()];
    await set(ann, bob, true);
    await set(bob, ann, true);
    await set(cid, ann, true);
    const between = async (userId: string, ...others: string[]) =>
      (await store.blocksBetween(userId, others)).map(
        ({ ownerId, otherUserId }) => `${ownerId} ${otherUserId}`,
      );
    assert.deepEqual(
      (await between(ann, bob, cid, dan)).sort(),
      [`${ann} ${bob}`, `${bob} ${ann}`, `${cid} ${ann}`].sort(),
    );
    assert.deepEqual(await between(dan, ann, bob, cid), []);
    await set(ann, bob, false);
    assert.deepEqual(await between(ann, bob), [`${bob} ${ann}`]); // The other one's stays.
    assert.deepEqual(await between(ann), []);
  });

  it("lists the users that the owner has blocked, in pages by user_id", async () => {
    const { store } = current();
    const ann = freshUser();
    const others = Array.from({ length: 5 }, freshUser);
    for (const other of others) await set(ann, other, true);
    await set(others[0] ?? "", ann, true);
    const listed: string[] = [];
    for (let page: readonly string[] = [""]; page.length > 0; listed.push(...page)) {
      page = await store.listBlocked(ann, listed.at(-1) ?? "", 2);
      assert.ok(page.length <= 2);
    }
    assert.deepEqual(listed, [...others].sort());
  });
}

function freshUser(): string {
  return `u${randomBytes(6).toString("hex")}`;
}
