import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { HookedStore, KeptChannel, MemoryThreads } from "../testing/fakes/message/message-ports.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { MessageService } from "./service.ts";

function world() {
  const threads = new MemoryThreads();
  const channel = new KeptChannel();
  const store = new HookedStore();
  const { groups, blocks, memory: largeGroups } = threads;
  const ports = { store, threads, groups, blocks, largeGroups, channel };
  const message = new MessageService({ ...ports, clock: new FakeClock() });
  const threadId = threads.add("ann", "bob");
  return { message, channel, store, threadId };
}

describe("Typing", () => {
  it("goes to the other members' inboxes, with how long to show it, and is stored nowhere", async () => {
    const { message, channel, store, threadId } = world();
    await message.typing({ userId: "ann", threadId, originSession: "aa" });
    const [{ kind, topics, frame, originSession } = assert.fail()] = channel.publications;
    assert.deepEqual([kind, topics, originSession], ["typing", ["user/bob"], "aa"]);
    const [event] = fromBinary(ServerFrameSchema, frame).events;
    assert.ok(event?.kind.case === "typing");
    assert.deepEqual([event.kind.value.userId, event.kind.value.expiresAfterMs], ["ann", 6_000]);
    assert.deepEqual(event.kind.value.threadId, threadId);
    assert.deepEqual(store.trace, []);
  });

  it("is NOT_FOUND in a thread that is not the user's", async () => {
    const { message, channel, threadId } = world();
    await assert.rejects(message.typing({ userId: "eve", threadId, originSession: "" }), {
      reason: ErrorReason.THREAD_NOT_FOUND,
    });
    assert.deepEqual(channel.publications, []);
  });

  it("is dropped where it cannot be handed over", async () => {
    const { message, channel, threadId } = world();
    channel.onPublish = async () => {
      throw new HeddleError(14, ErrorReason.HAND_OFF_FAILED, "no instance");
    };
    await message.typing({ userId: "ann", threadId, originSession: "" });
    assert.deepEqual(channel.publications, []);
  });
});
