import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { loopbackOrigins } from "../rpc/web/cors.ts";
import { type RpcListeners, startRpcListeners } from "../testing/fakes/streams/rpc-listeners.ts";
import { DEV_TOKEN_TTL_S, devTokensRoute } from "./door-dev-tokens.ts";
import { jwksRoute } from "./door-jwks.ts";

describe("Tokens of the development profile", () => {
  let listeners: RpcListeners;
  before(async () => {
    const sign = async (user: string, ttlS: number) => `${user}:${ttlS}`;
    const routes = [devTokensRoute(sign, DEV_TOKEN_TTL_S), jwksRoute([{ kty: "EC", kid: "k" }])];
    listeners = await startRpcListeners([], { routes, origins: loopbackOrigins });
  });
  after(() => listeners.close());

  const post = async (body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${listeners.web}/dev/tokens`, { method: "POST", body, headers });
    return { status: response.status, headers: response.headers, json: await response.json() };
  };

  it("are signed for each user who is named, once", async () => {
    const { status, headers, json } = await post('{"users":["ann","bob","ann"]}');
    assert.equal(status, 200);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.deepEqual(json, { tokens: { ann: "ann:86400", bob: "bob:86400" } });
  });

  it("last as long as is asked, within bounds", async () => {
    assert.deepEqual((await post('{"users":["ann"],"ttl_s":5}')).json, { tokens: { ann: "ann:5" } });
    for (const ttl of [0, -1, 1.5, 1e9])
      assert.equal((await post(`{"users":["ann"],"ttl_s":${ttl}}`)).status, 400);
  });

  it("may have any name that a user may have", async () => {
    const { json } = await post('{"users":["__proto__"]}');
    assert.equal(JSON.stringify(json), '{"tokens":{"__proto__":"__proto__:86400"}}');
  });

  it("are refused where the request is wrong, with what to send", async () => {
    const many = JSON.stringify({ users: Array.from({ length: 1001 }, (_, at) => `u${at}`) });
    for (const body of ["", "[]", '{"users":[]}', '{"users":["Ann B"]}', '{"user":["ann"]}', many]) {
      const { status, json } = await post(body);
      assert.equal(status, 400, body.slice(0, 30));
      assert.ok(json.error.length > 5);
    }
    assert.equal((await post(`{"users":["${"a".repeat(400_000)}"]}`)).status, 413);
    assert.equal((await fetch(`${listeners.web}/dev/tokens`)).status, 405);
  });

  it("are given to a thousand at once", async () => {
    const users = Array.from({ length: 1000 }, (_, at) => `${"u".repeat(250)}${at}`);
    const { json } = await post(JSON.stringify({ users }));
    assert.equal(Object.keys(json.tokens).length, 1000);
  });

  it("go to pages of this machine and to no other", async () => {
    const near = await post('{"users":["ann"]}', { origin: "http://localhost:5173" });
    assert.equal(near.headers.get("access-control-allow-origin"), "http://localhost:5173");
    const far = await post('{"users":["ann"]}', { origin: "https://evil.example" });
    assert.equal(far.headers.get("access-control-allow-origin"), null);
    const preflight = { origin: "http://127.0.0.1:1", "access-control-request-method": "POST" };
    const answer = await fetch(`${listeners.web}/dev/tokens`, { method: "OPTIONS", headers: preflight });
    assert.equal(answer.status, 204);
    assert.match(answer.headers.get("access-control-allow-headers") ?? "", /Authorization/);
  });

  it("are not given under a name that somebody pointed at this machine", async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { host: "evil.example:8480" };
      const call = httpRequest(`${listeners.web}/dev/tokens`, { method: "POST", headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on("error", reject);
      call.end('{"users":["ann"]}');
    });
    assert.equal(status, 403);
  });

  it("are verified by keys that anyone may read", async () => {
    const response = await fetch(`${listeners.web}/.well-known/jwks.json`);
    assert.deepEqual(await response.json(), { keys: [{ kty: "EC", kid: "k" }] });
    assert.match(response.headers.get("cache-control") ?? "", /max-age=\d+/);
    assert.equal((await fetch(`${listeners.web}/.well-known/jwks.json`, { method: "POST" })).status, 405);
  });
});
