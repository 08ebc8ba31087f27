import assert from "node:assert/strict";
import { fromHex } from "../../internal/base/ids.ts";
import {
  ClientWorld,
  settled,
  THREAD,
  wireEntry,
  wireRow,
} from "../../internal/testing/worlds/client/client-world.ts";

const typing = (userId: string, expiresAfterMs = 6_000) =>
  ({ case: "typing", value: { threadId: fromHex(THREAD), userId, expiresAfterMs } }) as const;

const told = (world: ClientWorld) =>
  world.events.flatMap((event) => (event.type === "typing" ? [`${event.userId} ${event.isTyping}`] : []));

/** Live, with a chat with bob. */
async function chatting(): Promise<ClientWorld> {
  const world = await new ClientWorld().live();
  const value = { threadId: wireRow(1).threadId, thread: wireRow(1) };
  world.transport.stream.hear({ case: "threadChanged", value }, { case: "entry", value: wireEntry(1) });
  await settled();
  return world;
}

describe("Typing in a client", () => {
  it("is said once in 3 s per thread, and only of threads that there are", async () => {
    const world = await chatting();
    const said = () => world.transport.stream.frames("typing").length;
    for (let key = 0; key < 5; key++) world.client.typing(THREAD);
    await world.pass(3_099);
    world.client.typing(THREAD);
    assert.equal(said(), 1);
    await world.pass(1);
    world.client.typing(THREAD);
    assert.equal(said(), 2);
    world.client.typing("cd".repeat(16));
    assert.equal(said(), 2);
    assert.throws(() => world.client.typing("what"), /threadId/);
    await world.client.close();
  });

  it("shows until it expires, longer when it is said again", async () => {
    const world = await chatting();
    world.transport.stream.hear(typing("bob"));
    await settled();
    assert.deepEqual(world.client.typists(THREAD), ["bob"]);
    await world.pass(4_000);
    world.transport.stream.hear(typing("bob"));
    await settled();
    await world.pass(5_999);
    assert.deepEqual(world.client.typists(THREAD), ["bob"]);
    await world.pass(1);
    assert.deepEqual(world.client.typists(THREAD), []);
    assert.deepEqual(told(world), ["bob true", "bob false"]);
    await world.client.close();
  });

  it("ends with that user's message, and with nobody else's", async () => {
    const world = await chatting();
    world.transport.stream.hear(typing("bob"), typing("cleo"));
    await settled();
    world.transport.stream.hear({ case: "entry", value: wireEntry(2) });
    await settled();
    assert.deepEqual(world.client.typists(THREAD), ["cleo"]);
    await world.client.close();
  });

  it("ends with the connection, is never one's own, and never lasts for ever", async () => {
    const world = await chatting();
    world.transport.stream.hear(typing("ann"), typing("bob", 4_000_000_000));
    await settled();
    assert.deepEqual(world.client.typists(THREAD), ["bob"]);
    world.transport.stream.end();
    await settled();
    assert.deepEqual(world.client.typists(THREAD), []);
    world.client.typing(THREAD);
    await world.pass(100);
    world.transport.stream.welcome("ann");
    await settled();
    world.transport.stream.hear(typing("bob", 4_000_000_000));
    await settled();
    await world.passAnswered(30_000);
    assert.deepEqual(world.client.typists(THREAD), []);
    await world.client.close();
  });

  it("shows a bounded number of users", async () => {
    const world = await chatting();
    world.transport.stream.hear(...Array.from({ length: 40 }, (_, at) => typing(`user${at}`)));
    await settled();
    assert.equal(world.client.typists(THREAD).length, 20);
    await world.client.close();
  });
});
