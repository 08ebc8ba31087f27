import assert from "node:assert/strict";
import { DrainingReason } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import {
  ClientWorld,
  settled,
  unavailable,
  wireEntry,
  wireRow,
} from "../../internal/testing/worlds/client/client-world.ts";

const ONLINE = 2;
const OFFLINE = 3;
const UNKNOWN = 1;

/** A word of the stream about a user. */
const presence = (userId: string, status: number, lastSeenAtMs = 0n) =>
  ({ case: "presence", value: { userId, status, lastSeenAtMs } }) as const;

/** Users of each `watch` that was said on the newest stream. */
const watched = (world: ClientWorld) => world.transport.stream.frames("watch").map(({ userIds }) => userIds);

/** Users of each ListPresence so far. */
const pulled = (world: ClientWorld) =>
  world.transport.requests<{ userIds: string[] }>("ListPresence").map(({ userIds }) => userIds);

/** What was said of presence to the application. */
const told = (world: ClientWorld) =>
  world.events.flatMap((event) =>
    event.type === "presence" ? [`${event.userId} ${event.presence?.status ?? "unknown"}`] : [],
  );

/** Live, with a chat with bob. */
async function chatting(world = new ClientWorld()): Promise<ClientWorld> {
  await world.start();
  world.transport.stream.hear(
    { case: "opened", value: { userId: "ann", pingIntervalMs: 15_000 } },
    { case: "threadChanged", value: { threadId: wireRow(1).threadId, thread: wireRow(1) } },
    { case: "entry", value: wireEntry(1) },
    { case: "caughtUp", value: { cursor: new Uint8Array([1]) } },
  );
  await settled();
  return world;
}

describe("Presence in a client", () => {
  it("watches who is on screen, gathers changes, and says a set once", async () => {
    const world = await new ClientWorld().live();
    world.client.watch(["bob"]);
    world.client.watch(["bob", "cleo", "bob"]);
    await world.pass(150);
    assert.deepEqual(watched(world), [["bob", "cleo"]]);
    world.client.watch(["cleo", "bob"]);
    await world.pass(150);
    assert.equal(watched(world).length, 1, "the same users");
    world.client.watch([]);
    await world.pass(150);
    assert.deepEqual(watched(world)[1], [], "nobody is on screen");
    await world.client.close();
  });

  it("refuses more than 100 users, and what is no user", async () => {
    const world = await new ClientWorld().live();
    assert.throws(() => world.client.watch(Array.from({ length: 101 }, (_, at) => `u${at}`)), /100/);
    assert.throws(() => world.client.watch(["No User"]), /userIds/);
    await world.client.close();
  });

  it("shows what the stream says", async () => {
    const world = await new ClientWorld().live();
    world.client.watch(["bob"]);
    await world.pass(150);
    world.transport.stream.hear(presence("bob", ONLINE));
    await settled();
    assert.deepEqual(world.client.presence("bob"), { status: "online", lastSeenAtMs: undefined });
    world.transport.stream.hear(presence("bob", OFFLINE, 77n), presence("bob", OFFLINE, 77n));
    await settled();
    assert.deepEqual(world.client.presence("bob"), { status: "offline", lastSeenAtMs: 77 });
    world.transport.stream.hear(presence("bob", UNKNOWN));
    await settled();
    assert.equal(world.client.presence("bob"), undefined);
    assert.deepEqual(told(world), ["bob online", "bob offline", "bob unknown"]);
    assert.equal(world.client.presence("nobody-knows"), undefined);
    await world.client.close();
  });

  it("says a watch again that did not arrive", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    const say = stream.say.bind(stream);
    stream.say = () => Promise.reject(unavailable);
    world.client.watch(["bob"]);
    await world.pass(150);
    stream.say = say;
    await world.pass(2_000);
    assert.deepEqual(watched(world), [["bob"]]);
    await world.client.close();
  });

  it("knows nothing without a connection, and says the watch again on the next", async () => {
    const world = await chatting();
    world.client.watch(["bob"]);
    await world.pass(150);
    world.transport.stream.hear(presence("bob", ONLINE));
    await settled();
    world.transport.stream.end();
    await settled();
    assert.equal(world.client.presence("bob"), undefined, "never stale green");
    assert.deepEqual(told(world), ["bob online", "bob unknown"]);
    world.client.watch(["bob", "cleo"]);
    await world.pass(100);
    world.transport.stream.hear({ case: "opened", value: { userId: "ann", pingIntervalMs: 15_000 } });
    await settled();
    assert.deepEqual(watched(world), [["bob", "cleo"]], "at once, and what is on screen now");
    await world.client.close();
  });

  it("keeps what it knows while it moves to another push server, and forgets who is silent there", async () => {
    const world = await chatting();
    world.client.watch(["bob", "cleo"]);
    await world.pass(150);
    world.transport.answers.ListPresence = () => new Promise(() => {});
    world.transport.stream.hear(presence("bob", ONLINE), presence("cleo", ONLINE));
    const value = { afterMs: 3_000, jitterMs: 0, reason: DrainingReason.SHUTDOWN };
    world.transport.stream.hear({ case: "draining", value });
    await settled();
    await world.pass(1);
    world.transport.stream.welcome("ann");
    await settled();
    assert.deepEqual(watched(world), [["bob", "cleo"]]);
    world.transport.stream.hear(presence("bob", ONLINE));
    await settled();
    assert.equal(world.client.presence("cleo")?.status, "online", "the word may be on its way");
    await world.pass(2_000);
    assert.equal(world.client.presence("cleo"), undefined);
    assert.equal(world.client.presence("bob")?.status, "online");
    assert.deepEqual(told(world), ["bob online", "cleo online", "cleo unknown"], "no flip");
    await world.client.close();
  });

  it("asks for everybody at start and every few minutes, and forgets who is left out", async () => {
    const world = new ClientWorld();
    let status = ONLINE;
    world.transport.answers.ListPresence = () =>
      status ? { presences: [{ userId: "bob", status }] } : { presences: [] };
    await chatting(world);
    assert.deepEqual(pulled(world), [["bob"]]);
    assert.equal(world.client.presence("bob")?.status, "online");
    status = 0;
    await world.passAnswered(180_000);
    assert.equal(pulled(world).length, 2);
    assert.equal(world.client.presence("bob"), undefined, "hidden, or blocked");
    await world.client.close();
  });

  it("asks nobody about nobody, and tries again when the server is away", async () => {
    const world = await new ClientWorld().live();
    assert.equal(pulled(world).length, 0);
    await world.client.close();
    const other = new ClientWorld();
    other.transport.answers.ListPresence = () => {
      throw unavailable;
    };
    await chatting(other);
    await other.pass(100);
    await other.pass(200);
    assert.equal(pulled(other).length, 3);
    await other.client.close();
  });

  it("does not let an answer undo what the stream said in the meantime", async () => {
    const world = new ClientWorld();
    const { promise, resolve } = Promise.withResolvers<object>();
    world.transport.answers.ListPresence = () => promise;
    await chatting(world);
    world.transport.stream.hear(presence("bob", OFFLINE, 9n));
    await settled();
    resolve({ presences: [{ userId: "bob", status: ONLINE }] });
    await settled();
    assert.deepEqual(told(world), ["bob offline"]);
    await world.client.close();
  });

  it("does not let an answer that knows nothing take back what was told", async () => {
    const world = new ClientWorld();
    let status = ONLINE;
    world.transport.answers.ListPresence = () => ({ presences: [{ userId: "bob", status }] });
    await chatting(world);
    world.client.watch(["bob"]);
    await world.pass(150);
    world.transport.stream.hear(presence("bob", ONLINE));
    await settled();
    status = UNKNOWN; // The instance that looks after bob cannot be reached; the push server tells nothing twice.
    await world.passAnswered(180_000);
    assert.equal(pulled(world).length, 2);
    assert.equal(world.client.presence("bob")?.status, "online");
    await world.client.close();
  });

  it("asks for the other user of a new chat, and says a watch again that had no effect before", async () => {
    const world = await new ClientWorld().live();
    world.client.watch(["bob"]);
    await world.pass(150);
    const value = { threadId: wireRow(1).threadId, thread: wireRow(1) };
    world.transport.stream.hear({ case: "threadChanged", value });
    await settled();
    await world.pass(300);
    assert.deepEqual(pulled(world), [["bob"]]);
    assert.deepEqual(watched(world), [["bob"], ["bob"]]);
    world.transport.stream.hear({ case: "threadChanged", value });
    await settled();
    await world.pass(300);
    assert.equal(pulled(world).length, 1, "it is new once");
    await world.client.close();
  });

  it("reads and sets who sees the user's own presence", async () => {
    const world = await new ClientWorld().live();
    world.transport.answers.GetVisibility = () => ({ visibility: 1 });
    world.transport.answers.SetVisibility = ({ visibility }: { visibility: number }) => ({ visibility });
    assert.equal(await world.client.visibility(), "shared");
    assert.equal(await world.client.setVisibility("nobody"), "nobody");
    const [request] = world.transport.requests<{ visibility: number; requestId: Uint8Array }>(
      "SetVisibility",
    );
    assert.equal(request?.visibility, 2);
    assert.equal(request?.requestId.length, 16);
    await world.client.close();
  });
});
