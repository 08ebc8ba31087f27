import assert from "node:assert/strict";
import { fromHex } from "../../internal/base/ids.ts";
import { DrainingReason } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import { ClientWorld, settled } from "../../internal/testing/worlds/client/client-world.ts";
import { Code, ErrorReason, HeddleError, MemoryStorage } from "../index.ts";

describe("A client's connection", () => {
  it("goes from connecting over backfilling to live", async () => {
    const world = await new ClientWorld().start();
    assert.equal(world.client.state.phase, "connecting");
    world.transport.stream.welcome("ann");
    await settled();
    assert.deepEqual(world.phases(), ["backfilling", "live"]);
    await world.client.ready();
    await world.client.close();
    assert.equal(world.transport.isClosed, true);
    assert.equal(world.transport.stream.isClosed, true);
  });

  for (const code of [Code.ABORTED, Code.INTERNAL, Code.UNAVAILABLE, Code.CANCELLED, undefined]) {
    it(`asks the gateway again when a stream ends with ${code === undefined ? "nothing" : Code[code]}`, async () => {
      const world = await new ClientWorld().live();
      world.transport.stream.end(
        code === undefined ? code : new HeddleError(code, ErrorReason.UNSPECIFIED, "over"),
      );
      await settled();
      assert.equal(world.client.state.phase, "offline");
      assert.equal(world.transport.streams.length, 1, "not at once: all others lost theirs too");
      await world.pass(100);
      assert.equal(world.transport.streams.length, 2);
      assert.equal(world.transport.requests("OpenSession").length, 2);
      await world.client.close();
    });
  }

  it("backs off while the gateway is away, waits as long as that asks, and comes at once to the foreground", async () => {
    const world = new ClientWorld();
    let asked = 0;
    world.transport.answers.OpenSession = () => {
      asked += 1;
      const retryAfterMs = asked === 3 ? 60_000 : 0;
      throw new HeddleError(Code.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE, "away", { retryAfterMs });
    };
    await world.start();
    await world.pass(100);
    await world.pass(200);
    assert.equal(asked, 3);
    await world.pass(59_000);
    assert.equal(asked, 3, "RetryInfo is heeded");
    world.client.foreground();
    await settled();
    assert.equal(asked, 4);
    assert.equal(world.client.state.reason?.kind, "server-away");
    await world.client.close();
  });

  it("opens the next session before it closes the one that drains", async () => {
    const world = await new ClientWorld().live();
    const [first] = world.transport.streams;
    const value = { afterMs: 3_000, jitterMs: 1_000, reason: DrainingReason.SHUTDOWN };
    first?.hear({ case: "draining", value });
    await settled();
    assert.equal(world.client.state.phase, "draining");
    assert.equal(world.transport.streams.length, 1, "jitter");
    await world.pass(500);
    assert.equal(world.transport.streams.length, 2);
    assert.equal(first?.isClosed, false);
    const opened = { sessionId: new Uint8Array(16), userId: "ann", pingIntervalMs: 15_000 };
    world.transport.stream.hear({ case: "opened", value: opened });
    await settled();
    assert.equal(first?.isClosed, false, "until the next is caught up nothing is said twice for nothing");
    world.transport.stream.hear({ case: "caughtUp", value: { cursor: new Uint8Array([2]) } });
    await settled();
    assert.equal(first?.isClosed, true);
    assert.equal(world.client.state.phase, "live");
    assert.ok(!world.phases().includes("offline"));
    await world.client.close();
  });

  it("fetches a new token when the old one runs out", async () => {
    const world = await new ClientWorld().live();
    const value = { afterMs: 5_000, jitterMs: 0, reason: DrainingReason.TOKEN_EXPIRED };
    world.transport.stream.hear({ case: "draining", value });
    await settled();
    await world.pass(1);
    assert.deepEqual(world.stale, [false, true]);
    assert.equal(world.transport.calls.at(-1)?.token, "token 2");
    await world.client.close();
  });

  it("does not come back when the device was revoked", async () => {
    for (const isAnnounced of [true, false]) {
      const world = await new ClientWorld().live();
      const value = { afterMs: 0, jitterMs: 0, reason: DrainingReason.DEVICE_REVOKED };
      if (isAnnounced) world.transport.stream.hear({ case: "draining", value });
      const revoked = new HeddleError(Code.PERMISSION_DENIED, ErrorReason.DEVICE_REVOKED, "revoked");
      world.transport.stream.end(isAnnounced ? undefined : revoked);
      await settled();
      await world.pass(600_000);
      assert.equal(world.client.state.phase, "signed-out");
      assert.equal(world.client.state.reason?.kind, "device-revoked");
      assert.equal(world.transport.streams.length, 1);
      await assert.rejects(world.client.ready());
      await world.client.close();
    }
  });

  it("is signed out when fresh tokens are not believed, or are another user's", async () => {
    const world = new ClientWorld();
    world.transport.answers.OpenSession = () => {
      throw new HeddleError(Code.UNAUTHENTICATED, ErrorReason.TOKEN_INVALID, "no");
    };
    await world.start();
    for (let at = 0; at < 5; at++) await world.pass(1_000);
    assert.equal(world.client.state.reason?.kind, "not-signed-in");
    const other = await new ClientWorld().start();
    other.transport.stream.welcome("mallory");
    await settled();
    assert.equal(other.client.state.phase, "signed-out");
    await Promise.all([world.client.close(), other.client.close()]);
  });

  it("begins without a cursor that the server does not know", async () => {
    const storage = new MemoryStorage();
    await storage.write([{ key: "cursor", value: "beef" }]);
    const world = await new ClientWorld().start(storage);
    assert.deepEqual(world.transport.stream.options.cursor, fromHex("beef"));
    const metadata = { field: "cursor" };
    world.transport.stream.end(
      new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.TOKEN_MALFORMED, "?", { metadata }),
    );
    await settled();
    await world.pass(1_000);
    assert.equal(world.transport.stream.options.cursor.length, 0);
    await world.client.close();
  });
});
