import assert from "node:assert/strict";
import { ErrorReason } from "../../base/heddle-error.ts";
import { MessageParts } from "../../testing/fakes/message/message-parts.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { Views } from "./views.ts";

/** The views of a server that is one of several, over the direct thread of ann and bob with one entry. */
async function world({ isAlone = false } = {}) {
  const parts = new MessageParts();
  const log = await parts.open();
  const { heads, judging, clock, store } = parts;
  const views = new Views({ heads, judging, clock, isAlone });
  await parts.append(log);
  store.gets.length = 0;
  return { parts, log, views, clock, store };
}

describe("Views", () => {
  it("need no read within a second after an append, counted from before it was sent", async () => {
    const { parts, log, views, clock, store } = await world();
    parts.store.onAppend = async (apply) => {
      clock.advance(400);
      return apply();
    };
    clock.advance(5_000);
    await parts.append(log, { clientId: new Uint8Array(16) });
    clock.advance(600);
    assert.ok(views.known(log));
    clock.advance(1);
    assert.equal(views.known(log), undefined);
    assert.equal(store.gets.length, 0);
  });

  it("are read anew when they are older, once for all who ask meanwhile", async () => {
    const { log, views, clock, store } = await world();
    clock.advance(1_001);
    const asked = await Promise.all([views.fresh(log), views.fresh(log), views.isBlocked(log)]);
    assert.deepEqual([asked[0] === asked[1], asked[2], store.gets.length], [true, false, 1]);
    clock.advance(1_000);
    await views.fresh(log);
    assert.equal(store.gets.length, 1);
  });

  it("that took too long to read are not judged by, and a thread of which no other come is taken for blocked", async () => {
    const { log, views, clock, store } = await world();
    store.onGet = async (read) => {
      clock.advance(1_001);
      return read();
    };
    clock.advance(1_001);
    await assert.rejects(views.fresh(log), { reason: ErrorReason.STORE_UNAVAILABLE });
    assert.equal(await views.isBlocked(log), true);
    store.onGet = undefined;
    assert.equal(await views.isBlocked(log), false);
  });

  it("are as new as any where no other server changes threads", async () => {
    const { log, views, clock, store } = await world({ isAlone: true });
    clock.advance(3_600_000);
    assert.equal(await views.isBlocked(log), false);
    assert.equal(store.gets.length, 0);
  });

  it("of blocks do not go back to a head that was read before a raise, however late it comes", async () => {
    const { parts, log, views, store } = await world({ isAlone: true });
    const held = Promise.withResolvers<void>();
    store.onGet = async (read) => {
      const row = await read();
      await held.promise;
      return row;
    };
    const late = views.read(log);
    await quiet();
    store.onGet = undefined;
    parts.threads.memory.setBlock("ann", "bob", true);
    await parts.appender.raiseEpoch(log);
    parts.threads.memory.setBlock("ann", "bob", false); // As if what is read for the old head came from before.
    held.resolve();
    await late;
    assert.deepEqual(log.membership.view?.blockedBy, ["ann"]);
  });
});
