import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { ProfileStore } from "./profile-store.ts";

/** What every ProfileStore must do: the part of threadStoreSuite that is about profiles. */
export function profileStoreTests(
  current: () => { readonly store: ProfileStore; writes(): Promise<number> },
): void {
  const ann = { displayName: "Ann", pictureUrl: "https://p.example/a" };

  it("is what the token said last, of the user alone, and nothing of one who is unknown", async () => {
    const { store } = current();
    const [user, other] = [freshUser(), freshUser()];
    await store.noteProfile(user, ann);
    assert.deepEqual(await store.readProfiles([user, other]), new Map([[user, ann]]));
    await store.noteProfile(user, { displayName: "Anna" });
    assert.deepEqual((await store.readProfiles([user])).get(user), { ...ann, displayName: "Anna" });
    await store.noteProfile(user, { pictureUrl: "" });
    assert.deepEqual((await store.readProfiles([user])).get(user), { displayName: "Anna", pictureUrl: "" });
  });

  it("is written only where it changes", async () => {
    const { store, writes } = current();
    const user = freshUser();
    await store.noteProfile(user, ann);
    const before = await writes();
    await store.noteProfile(user, ann);
    await store.noteProfile(user, {});
    await store.noteProfile(freshUser(), { displayName: "", pictureUrl: "" });
    assert.equal(await writes(), before);
    await store.noteProfile(user, { ...ann, displayName: "Anna" });
    assert.equal(await writes(), before + 1);
  });

  it("is what the user has set, whatever tokens say, until the user takes it back", async () => {
    const { store } = current();
    const user = freshUser();
    await store.noteProfile(user, ann);
    const own = { displayName: "Annie", pictureUrl: "" };
    await store.setProfile(user, own);
    await store.noteProfile(user, ann);
    assert.deepEqual((await store.readProfiles([user])).get(user), own);
    await store.setProfile(user, undefined);
    assert.equal((await store.readProfiles([user])).get(user), undefined);
    await store.noteProfile(user, ann);
    assert.deepEqual((await store.readProfiles([user])).get(user), ann);
  });
}

function freshUser(): string {
  return `auth0|${randomBytes(6).toString("hex")}`;
}
