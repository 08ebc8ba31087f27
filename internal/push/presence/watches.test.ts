import assert from "node:assert/strict";
import { PresenceStatus, Visibility } from "../../gen/heddle/presence/v1/presence_pb.js";
import type { FakeByteStream } from "../../testing/fakes/streams/fake-byte-stream.ts";
import { PresenceWorld, say, watch } from "../../testing/worlds/presence/presence-world.ts";
import { SILENCE_MS } from "../limits.ts";

const { ONLINE, OFFLINE, UNKNOWN } = PresenceStatus;

/** A world that knows its users: one push server, whose digest has come. */
async function world() {
  const made = new PresenceWorld();
  const push = made.startServer("push");
  await made.advance(500);
  const hide = (userId: string, visibility = Visibility.NOBODY) =>
    made.instance.handlers.setVisibility({ visibility, requestId: new Uint8Array(16) } as never, {
      caller: { userId },
    });
  return { made, push, hide, connect: (userId: string) => made.connect(push, userId) };
}

function told(stream: FakeByteStream): [string, PresenceStatus][] {
  return stream.of("presence").map(({ userId, status }) => [userId, status]);
}

async function pinging(made: PresenceWorld, streams: readonly FakeByteStream[], ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    for (const stream of streams)
      if (stream.ended === undefined) say(stream, { case: "ping", value: {} as never });
    await made.advance(500);
  }
}

describe("A watch", () => {
  it("tells the presence of each at once, then changes, with when a user was last seen", async () => {
    const { made, connect } = await world();
    const ann = connect("ann");
    watch(ann, ["bob", "cay"]);
    await made.loop.settle();
    assert.deepEqual(told(ann), [
      ["bob", OFFLINE],
      ["cay", OFFLINE],
    ]);
    const bob = connect("bob");
    await pinging(made, [ann, bob], 2_500);
    assert.equal(told(ann).length, 2, "not yet for 3 s");
    await pinging(made, [ann, bob], 1_500);
    assert.deepEqual(told(ann).at(-1), ["bob", ONLINE]);
    bob.drop();
    const leftAtMs = made.clock.nowMs();
    await pinging(made, [ann], 9_500);
    assert.equal(told(ann).length, 3, "the grace");
    await pinging(made, [ann], 1_000);
    assert.deepEqual(told(ann).at(-1), ["bob", OFFLINE]);
    assert.equal(ann.of("presence").at(-1)?.lastSeenAtMs, BigInt(leftAtMs));
  });

  it("shows nothing of a gap shorter than the grace", async () => {
    const { made, connect } = await world();
    const ann = connect("ann");
    let bob = connect("bob");
    watch(ann, ["bob"]);
    await pinging(made, [ann, bob], 5_000);
    for (let times = 0; times < 4; times++) {
      bob.drop();
      await pinging(made, [ann], 9_000);
      bob = connect("bob");
      await pinging(made, [ann, bob], 1_000);
    }
    assert.deepEqual(told(ann), [
      ["bob", OFFLINE],
      ["bob", ONLINE],
    ]);
  });

  it("shows a client that falls silent as gone within 36 s and the second of a change", async () => {
    const { made, connect } = await world();
    const ann = connect("ann");
    const bob = connect("bob");
    watch(ann, ["bob"]);
    await pinging(made, [ann, bob], 10_000);
    await pinging(made, [ann], SILENCE_MS + 10_000 + 1_000);
    assert.deepEqual(told(ann).at(-1), ["bob", OFFLINE]);
  });

  it("is replaced by the next, at most five times a second, the newest counts; none ends it", async () => {
    const { made, connect } = await world();
    const ann = connect("ann");
    const bob = connect("bob");
    for (const names of [["bob"], ["cay"], ["dan"], ["eve"]]) watch(ann, names);
    await made.advance(0);
    assert.deepEqual(
      told(ann).map(([userId]) => userId),
      ["bob"],
    );
    await made.advance(200);
    assert.deepEqual(
      told(ann).map(([userId]) => userId),
      ["bob", "eve"],
    );
    watch(ann, []);
    await pinging(made, [ann, bob], 5_000);
    assert.deepEqual(told(ann).length, 2);
    assert.equal(made.instance.watches, 0);
  });

  it("tells the current presence again to a client that asks again", async () => {
    const { made, connect } = await world();
    const ann = connect("ann");
    watch(ann, ["bob"]);
    await made.advance(1_000);
    watch(ann, ["bob", "cay"]);
    await made.loop.settle();
    assert.deepEqual(
      told(ann).map(([userId]) => userId),
      ["bob", "bob", "cay"],
    );
  });

  it("ends with its session", async () => {
    const { made, connect } = await world();
    const ann = connect("ann");
    watch(ann, ["bob", "cay"]);
    await made.loop.settle();
    assert.equal(made.instance.watches, 2);
    ann.drop();
    assert.equal(made.instance.watches, 0);
  });

  it("of one who hides tells nothing, says so when that begins, and tells again when it ends", async () => {
    const { made, connect, hide } = await world();
    const ann = connect("ann");
    const bob = connect("bob");
    await hide("cay");
    watch(ann, ["bob", "cay"]);
    await pinging(made, [ann, bob], 5_000);
    await hide("bob");
    await made.loop.settle();
    bob.drop();
    await pinging(made, [ann], 20_000);
    assert.deepEqual(told(ann), [
      ["bob", OFFLINE],
      ["bob", ONLINE],
      ["bob", UNKNOWN],
    ]);
    await hide("cay", Visibility.SHARED);
    await made.loop.settle();
    assert.deepEqual(told(ann).at(-1), ["cay", OFFLINE]);
  });

  it("whose check began before a user hid opens nothing after that was answered", async () => {
    const { made, connect, hide } = await world();
    const bob = connect("bob");
    await pinging(made, [bob], 5_000);
    let release = () => {};
    // The check has read that bob shows, and is on its way.
    made.afterCheck = () =>
      new Promise((resolve) => {
        release = resolve;
        made.afterCheck = async () => {};
      });
    const ann = connect("ann");
    watch(ann, ["bob"]);
    await made.loop.settle();
    await hide("bob");
    release();
    await pinging(made, [ann, bob], 5_000);
    assert.deepEqual(told(ann), [], "leaked after SetVisibility was answered");
  });

  it("that is answered late says also of one who was not shown that nothing is known: a list may have told otherwise", async () => {
    const { made, connect, hide } = await world();
    let release = () => {};
    made.beforeCheck = () => new Promise((resolve) => (release = resolve));
    const ann = connect("ann");
    watch(ann, ["bob"]);
    await made.advance(1_500);
    await hide("bob");
    made.beforeCheck = async () => {};
    release();
    await made.advance(500);
    assert.deepEqual(told(ann), [["bob", UNKNOWN]]);
  });

  it("is checked again while the check cannot be made, and mute until then", async () => {
    const { made, connect } = await world();
    made.beforeCheck = async () => {
      throw new Error("the store is away");
    };
    const ann = connect("ann");
    watch(ann, ["bob"]);
    await made.advance(3_000);
    assert.deepEqual(told(ann), []);
    made.beforeCheck = async () => {};
    await made.advance(1_000);
    assert.deepEqual(told(ann), [["bob", OFFLINE]]);
  });

  it("keeps what was told when the instance is replaced, and goes on with the next", async () => {
    const { made, connect } = await world();
    const silent = made.startServer("silent");
    silent.cut();
    const ann = connect("ann");
    const bob = connect("bob");
    watch(ann, ["bob", "cay"]);
    await pinging(made, [ann, bob], 5_000);
    const before = told(ann).length;
    made.killInstance();
    made.startInstance();
    await pinging(made, [ann, bob], 15_000);
    assert.equal(
      made.instance.isLearning,
      true,
      "it waits for the digest of a push server that is registered",
    );
    assert.equal(told(ann).length, before, "unknown takes nothing back");
    const dan = connect("dan");
    watch(dan, ["bob"]);
    await made.loop.settle();
    assert.deepEqual(told(dan), [["bob", UNKNOWN]]);
    bob.drop();
    await pinging(made, [ann, dan], 5_500);
    assert.deepEqual(told(dan).at(-1), ["bob", ONLINE], "the grace goes on where the old instance left it");
    assert.equal(made.instance.isLearning, false);
    await pinging(made, [ann, dan], 6_000);
    assert.deepEqual(
      [told(ann).at(-1), told(dan).at(-1)],
      [
        ["bob", OFFLINE],
        ["bob", OFFLINE],
      ],
    );
  });
});
