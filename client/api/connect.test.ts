import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { FakeTransport } from "../../internal/testing/fakes/client/fake-transport.ts";
import { HeldStorage } from "../../internal/testing/fakes/client/held-storage.ts";
import { settled } from "../../internal/testing/worlds/client/client-world.ts";
import { connect } from "../index.ts";

describe("connect", () => {
  let storage: HeldStorage;
  let transport: FakeTransport;
  let abort: AbortController;
  beforeEach(() => {
    storage = new HeldStorage();
    transport = new FakeTransport();
    abort = new AbortController();
  });

  const begin = (userId = "ann") =>
    connect({
      ...{ userId, deviceId: "ann-1", transport, storage, signal: abort.signal },
      credentials: () => Promise.resolve("token"),
    });

  const isLetGo = () => [
    transport.isClosed,
    storage.isClosed,
    getEventListeners(abort.signal, "abort").length,
  ];

  it("rejects when it is aborted while it loads, and lets go of everything", async () => {
    storage.loading = new Promise(() => {});
    const connecting = begin();
    await settled();
    abort.abort(new Error("enough"));
    await assert.rejects(connecting, /enough/);
    assert.deepEqual(isLetGo(), [true, true, 0]);
  });

  it("rejects when loading fails, and lets go of everything", async () => {
    storage.loading = Promise.reject(new Error("no such disk"));
    await assert.rejects(begin(), /no such disk/);
    assert.deepEqual(isLetGo(), [true, true, 0]);
  });

  it("lets go of everything when it refuses its options, or is aborted before it begins", async () => {
    await assert.rejects(begin("Ann B"), /userId/);
    assert.deepEqual(isLetGo(), [true, true, 0]);
    abort.abort(new Error("enough"));
    await assert.rejects(begin(), /enough/);
  });

  it("listens to the signal for as long as the client lives", async () => {
    const client = await begin();
    assert.deepEqual(isLetGo(), [false, false, 1]);
    await client.close();
    assert.deepEqual(isLetGo(), [true, true, 0]);
  });

  it("closes the client when the signal aborts, whatever its storage makes of that", async () => {
    const client = await begin();
    storage.close = () => Promise.reject(new Error("no such disk"));
    abort.abort();
    await settled();
    assert.equal(client.state.phase, "signed-out");
    assert.equal(transport.isClosed, true);
    await assert.rejects(client.close(), /no such disk/);
  });
});
