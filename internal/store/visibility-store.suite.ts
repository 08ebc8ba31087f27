import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { VisibilityStore } from "./thread-store.ts";

/** What every VisibilityStore must do: the part of threadStoreSuite that is about visibility. */
export function visibilityStoreTests(current: () => { readonly store: VisibilityStore }): void {
  it("is shared until a user sets it, that user's alone", async () => {
    const { store } = current();
    const [user, other] = [freshUser(), freshUser()];
    assert.equal(await store.readVisibility(user), "shared");
    await store.setVisibility(user, "nobody");
    assert.equal(await store.readVisibility(user), "nobody");
    assert.equal(await store.readVisibility(other), "shared");
  });

  it("is what was set last, however often", async () => {
    const { store } = current();
    const user = freshUser();
    for (const set of ["nobody", "shared", "nobody"] as const) await store.setVisibility(user, set);
    assert.equal(await store.readVisibility(user), "nobody");
    await store.setVisibility(user, "shared");
    assert.equal(await store.readVisibility(user), "shared");
  });
}

function freshUser(): string {
  return `u${randomBytes(6).toString("hex")}`;
}
