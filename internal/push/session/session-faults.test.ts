import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import type { FakeByteStream } from "../../testing/fakes/streams/fake-byte-stream.ts";
import { entry, PushWorld, row, threadOf } from "../../testing/worlds/push/push-world.ts";

/** What nobody catches would end the process, as it ends the test run here. Bound directly: no link carries such values. */
describe("What goes wrong in a session's later turns", () => {
  const isFault = ({ ended }: FakeByteStream) =>
    ended instanceof HeddleError && ended.reason === ErrorReason.FAULT;

  it("ends its stream and no other: a row of its backfill that cannot be encoded", async () => {
    const world = new PushWorld();
    const bob = await world.live("bob", 1);
    world.threads.pages.set("07", [[{ ...row(1, 4), updatedAtMs: "no number" as never }]]);
    const ann = world.stream("ann", 2);
    ann.say({ case: "open", value: { deviceId: "phone", cursor: Uint8Array.of(7) } } as never);
    await world.publish(entry({ thread: threadOf(1), seq: 1, from: "eve", to: "bob" }));
    await world.loop.settle();
    assert.ok(isFault(ann));
    assert.deepEqual([bob.ended, bob.kinds.at(-1)], [undefined, "entry"]);
  });

  it("ends its stream and no other: an outcome that cannot be encoded", async () => {
    const world = new PushWorld();
    const ann = await world.live("ann", 1);
    ann.say({
      case: "send",
      value: {
        target: { case: "toUserId", value: "bob" },
        clientId: new Uint8Array(16),
        attempt: 1,
        body: { kind: { case: "text", value: { text: "hi" } } },
      },
    } as never);
    world.messages.settle({ threadId: null as never });
    await world.loop.settle();
    assert.ok(isFault(ann));
  });

  it("ends its stream and no other: a publication that it cannot take", async () => {
    const world = new PushWorld();
    const [ann, bob] = [await world.live("ann", 1), await world.live("bob", 2)];
    await world.publish({
      ...entry({ thread: threadOf(1), seq: 1, from: "eve", to: "ann" }),
      frame: { length: 10 } as never,
    });
    await world.loop.settle();
    assert.ok(isFault(ann));
    assert.equal(bob.ended, undefined);
    assert.equal(world.server.load().sessions, 1);
  });
});
