import assert from "node:assert/strict";
import { identityOf, signInByName, storedIdentity, storeIdentity, userIdOf } from "./identity.ts";

const token = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
const answering = (status: number, body: unknown) =>
  (async () => Response.json(body, { status })) as typeof fetch;

describe("Identity", () => {
  it("takes names as people type them, and no others", () => {
    assert.equal(userIdOf("  Ann "), "Ann");
    assert.equal(userIdOf("ann.b-c_9"), "ann.b-c_9");
    for (const typed of ["", "a b", "änn", "a".repeat(256)]) assert.equal(userIdOf(typed), undefined, typed);
  });

  it("is read from a token, pasted with or without its scheme", () => {
    assert.equal(identityOf(` Bearer ${token({ sub: "ann" })}\n`)?.userId, "ann");
    assert.equal(identityOf(token({ sub: "ann" }))?.isByName, false);
    assert.equal(identityOf(token({ sub: "x", email: "Ann@x.example" }), "email")?.userId, "Ann@x.example");
    for (const text of ["", "ann", "a.b.c", token({}), token({ sub: "A B" })]) {
      assert.equal(identityOf(text), undefined, text);
    }
  });

  it("comes by name from a development server, and says where there is none", async () => {
    const found = await signInByName("ann", answering(200, { tokens: { ann: "t" } }));
    assert.deepEqual(found, { userId: "ann", token: "t", isByName: true });
    assert.equal(await signInByName("ann", answering(404, {})), "unavailable");
    await assert.rejects(signInByName("ann", answering(500, {})), /status 500/);
    await assert.rejects(signInByName("ann", answering(403, { error: "only here" })), /nobody in: only here/);
    await assert.rejects(signInByName("ann", answering(200, { tokens: {} })), /no sense/);
    const away = (async () => Promise.reject(new TypeError("fetch failed"))) as typeof fetch;
    await assert.rejects(signInByName("ann", away), /does not answer/);
  });

  it("is kept by the tab until sign-out, and never half", () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    } as unknown as Storage;
    const ann = { userId: "ann", token: "t", isByName: true };
    storeIdentity(storage, ann);
    assert.deepEqual(storedIdentity(storage), ann);
    kept.set("heddle.identity", '{"userId":"ann"}');
    assert.equal(storedIdentity(storage), undefined);
    storeIdentity(storage, undefined);
    assert.equal(kept.size, 0);
  });
});
