import assert from "node:assert/strict";
import { threadNotFound } from "../../base/heddle-error.ts";
import type { FakeByteStream } from "../../testing/fakes/streams/fake-byte-stream.ts";
import { describePushWorlds } from "../../testing/worlds/push/push-world.ts";

const ID = new Uint8Array(16).fill(7);

function typing(stream: FakeByteStream, threadId = ID): void {
  stream.say({ case: "typing", value: { threadId } } as never);
}

describePushWorlds("Connect, for those who write and those who watch", (worldOf) => {
  it("hands typing on once in 3 s per thread, and refuses what the message service does not take", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1);
    const other = new Uint8Array(16).fill(8);
    for (let times = 0; times < 3; times++) typing(bob);
    typing(bob, other);
    await world.advance(2_999);
    typing(bob);
    await world.advance(1);
    typing(bob);
    await world.loop.settle();
    assert.deepEqual(
      world.messages.typings.map(({ threadId }) => threadId[0]),
      [7, 8, 7],
    );
    assert.deepEqual(
      [world.messages.typings[0]?.userId, world.messages.typings[0]?.originSession],
      ["bob", "01".repeat(16)],
    );
    world.messages.receiptError = threadNotFound();
    await world.advance(3_000);
    typing(bob);
    typing(bob, ID.subarray(1));
    await world.loop.settle();
    assert.deepEqual(
      bob.of("refused").map(({ threadId, errorInfo }) => [threadId.length, errorInfo?.reason]),
      [
        [15, "INVALID_FIELD"],
        [16, "THREAD_NOT_FOUND"],
      ],
    );
    assert.equal(bob.ended, undefined);
  });

  it("refuses a watch of too many, or of what is no user, and goes on", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1);
    const users = Array.from({ length: 101 }, (_, at) => `u${at}`);
    for (const userIds of [users, ["Ann B"], users.slice(1)]) {
      bob.say({ case: "watch", value: { userIds } } as never);
    }
    await world.loop.settle();
    assert.deepEqual(
      bob.of("refused").map(({ errorInfo }) => errorInfo?.metadata),
      [
        { field: "watch.user_ids", rule: "repeated.max_items" },
        { field: "watch.user_ids", rule: "string.pattern" },
      ],
    );
    assert.equal(bob.ended, undefined);
  });
});
