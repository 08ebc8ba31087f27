import assert from "node:assert/strict";
import { fromHex } from "../../internal/base/ids.ts";
import type { ResolveSendRequest } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import {
  ClientWorld,
  head,
  settled,
  THREAD,
  unavailable,
  wireEntry,
} from "../../internal/testing/worlds/client-world.ts";
import { Code, ErrorReason, MemoryStorage } from "../index.ts";

describe("A client's sends", () => {
  it("leave the outbox for a live entry, and never for one found in pulled history", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    const send = await world.client.send({ threadId: THREAD }, "hi");
    await settled();
    const own = wireEntry(1, { sender: "ann", clientId: fromHex(send.item.clientId) });
    world.transport.answers.ListEntries = () => ({ entries: [own], head: head(1) });
    stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(1) } });
    await settled();
    await world.pass(30);
    assert.deepEqual(world.seqs(), [1]);
    assert.equal(world.client.outbox().length, 1, "pulled history proves nothing");
    assert.equal(world.client.conversation(THREAD).pending.length, 0, "but it is shown once");
    stream.hear({ case: "entry", value: own });
    await settled();
    assert.equal(world.client.outbox().length, 0);
    assert.equal((await send.outcome()).seq, 1);
    assert.deepEqual(world.seqs(), [1]);
    await world.client.close();
  });

  it("stay in the outbox when the void that seals them is heard of before the answer", async () => {
    const world = await new ClientWorld().live();
    const send = await world.client.send({ threadId: THREAD }, "hi");
    await settled();
    const body = { kind: { case: "void", value: {} } };
    const own = wireEntry(1, { sender: "ann", clientId: fromHex(send.item.clientId), body });
    world.transport.stream.hear({ case: "entry", value: own });
    await settled();
    assert.equal(send.item.state, "sending");
    assert.equal(world.client.outbox().length, 1);
    await world.client.close();
  });

  it("go again, numbered, on the next stream when one ends without an answer", async () => {
    const world = await new ClientWorld().live();
    await world.client.send({ threadId: THREAD }, "hi");
    await settled();
    const [first] = world.transport.stream.frames("send");
    world.transport.stream.end(unavailable);
    await settled();
    await world.pass(1_000);
    world.transport.stream.welcome("ann");
    await settled();
    const [second] = world.transport.stream.frames("send");
    assert.deepEqual([first?.attempt, second?.attempt], [1, 2]);
    assert.deepEqual(second?.clientId, first?.clientId);
    assert.equal(second?.baseSeq, first?.baseSeq);
    await world.client.close();
  });

  it("carry the highest seq held when they were composed, however often they are repeated", async () => {
    const world = await new ClientWorld().live();
    world.transport.stream.hear({ case: "entry", value: wireEntry(1) });
    await settled();
    await world.client.send({ threadId: THREAD }, "hi");
    await settled();
    world.transport.stream.hear({ case: "entry", value: wireEntry(2) });
    await settled();
    await world.pass(15_000);
    await world.pass(1_000);
    const sends = world.transport.stream.frames("send");
    assert.deepEqual(
      sends.map(({ baseSeq, attempt }) => [baseSeq, attempt]),
      [
        [1n, 1],
        [1n, 2],
      ],
    );
    await world.client.close();
  });

  it("are sealed when too old to search for, and the text goes once more under a new client_id", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    world.transport.answers.ResolveSend = () => ({ outcome: { case: "never", value: { seq: 1n } } });
    const send = await world.client.send({ threadId: THREAD }, "hi");
    await settled();
    const { clientId } = send.item;
    const errorInfo = { domain: "heddle", reason: "BASE_TOO_OLD" };
    stream.hear({
      case: "refused",
      value: { clientId: fromHex(clientId), code: Code.FAILED_PRECONDITION, errorInfo },
    });
    await settled();
    const [resolve] = world.transport.requests<ResolveSendRequest>("ResolveSend");
    assert.equal(resolve?.seal, true);
    const [first, second] = stream.frames("send");
    assert.notDeepEqual(second?.clientId, first?.clientId);
    assert.deepEqual(second?.body, first?.body);
    assert.equal(second?.attempt, 1);
    assert.notEqual(send.item.clientId, clientId, "the handle follows the text");
    await world.client.close();
  });

  it("fail for a refusal that says never, can be retried as new ones, or be discarded", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    const refuse = (clientId: string) => {
      const errorInfo = { domain: "heddle", reason: "INVALID_FIELD", metadata: { committed: "never" } };
      stream.hear({
        case: "refused",
        value: { clientId: fromHex(clientId), code: Code.INVALID_ARGUMENT, errorInfo },
      });
    };
    const send = await world.client.send({ threadId: THREAD }, "hi");
    await settled();
    refuse(send.item.clientId);
    await assert.rejects(send.outcome(), { reason: ErrorReason.INVALID_FIELD });
    const again = await world.client.retry(send.item.clientId);
    assert.notEqual(again.item.clientId, send.item.clientId);
    assert.equal(world.client.outbox().length, 1);
    await settled();
    refuse(again.item.clientId);
    await settled();
    await world.client.discard(again.item.clientId);
    assert.equal(world.client.outbox().length, 0);
    await assert.rejects(world.client.discard(again.item.clientId), { code: Code.INVALID_ARGUMENT });
    await world.client.close();
  });

  it("are not taken when the device cannot keep them", async () => {
    const storage = new MemoryStorage();
    const world = await new ClientWorld().live(storage);
    storage.write = () => Promise.reject(new Error("disk full"));
    await assert.rejects(world.client.send({ to: "bob" }, "hi"), { reason: ErrorReason.STORE_UNAVAILABLE });
    assert.equal(world.client.outbox().length, 0);
    assert.equal(world.transport.stream.frames("send").length, 0);
    await world.client.close();
  });

  it("are refused at once for what no server takes", async () => {
    const world = await new ClientWorld().live();
    for (const text of ["", "x".repeat(32_769), "\ud800"]) {
      await assert.rejects(world.client.send({ to: "bob" }, text), { code: Code.INVALID_ARGUMENT });
    }
    await assert.rejects(world.client.send({ to: "Bob!" }, "hi"), { code: Code.INVALID_ARGUMENT });
    await assert.rejects(world.client.send({ to: "ann" }, "hi"), { reason: ErrorReason.SELF_THREAD });
    await assert.rejects(world.client.send({ threadId: "zz" }, "hi"), { code: Code.INVALID_ARGUMENT });
    await world.client.close();
  });
});
