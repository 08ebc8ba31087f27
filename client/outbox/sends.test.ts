import assert from "node:assert/strict";
import { fromHex } from "../../internal/base/ids.ts";
import type { ResolveSendRequest } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import { HeldStorage } from "../../internal/testing/fakes/client/held-storage.ts";
import {
  ClientWorld,
  head,
  settled,
  THREAD,
  unavailable,
  wireEntry,
} from "../../internal/testing/worlds/client/client-world.ts";
import { Code, ErrorReason, HeddleError, MemoryStorage } from "../index.ts";
import { Events } from "../model/events.ts";
import type { OutboxItem } from "../model/model.ts";
import { Sends } from "./sends.ts";

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

  it("go again soon when the person writes on, or the server takes another, however long they would wait", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    const tries = () => stream.frames("send").map(({ attempt }) => attempt);
    const first = await world.client.send({ threadId: THREAD }, "one");
    const clientId = fromHex(first.item.clientId);
    const errorInfo = { domain: "heddle", reason: "HAND_OFF_FAILED" };
    const refusal = { clientId, code: Code.UNAVAILABLE, retryAfterMs: 2_000, errorInfo };
    for (let refused = 1; refused <= 6; refused++) {
      await world.passAnswered(10_000);
      assert.equal(tries().length, refused);
      stream.hear({ case: "refused", value: refusal });
      await settled();
    }
    await world.client.send({ threadId: THREAD }, "two");
    await world.pass(1_900);
    assert.deepEqual(tries(), [1, 2, 3, 4, 5, 6], "the server has asked for 2 s");
    await world.pass(100);
    assert.deepEqual(tries(), [1, 2, 3, 4, 5, 6, 7]);
    stream.hear({ case: "refused", value: refusal });
    const other = await world.client.send({ to: "cid" }, "elsewhere");
    await settled();
    const place = { clientId: fromHex(other.item.clientId), threadId: fromHex(other.item.threadId), seq: 1n };
    stream.hear({ case: "accepted", value: place });
    await world.pass(2_000);
    assert.deepEqual(tries(), [1, 2, 3, 4, 5, 6, 7, 1, 8]);
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
    await world.passAnswered(15_000);
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

  it("fail, and say that they may have been sent, where the log that would tell is lost", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    world.transport.answers.ResolveSend = () => {
      throw new HeddleError(Code.DATA_LOSS, ErrorReason.LOG_DAMAGED, "the log of the thread is damaged");
    };
    const send = await world.client.send({ threadId: THREAD }, "hi");
    await settled();
    const errorInfo = { domain: "heddle", reason: "BASE_TOO_OLD" };
    const clientId = fromHex(send.item.clientId);
    stream.hear({ case: "refused", value: { clientId, code: Code.FAILED_PRECONDITION, errorInfo } });
    await settled();
    assert.equal(send.item.state, "failed");
    assert.match(send.item.error?.message ?? "", /may have been sent/);
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

  it("take their places in the order of the calls, whatever their targets and ways", async () => {
    const world = await new ClientWorld().start();
    const conversation = await world.client.direct("bob");
    const ways = [
      (text: string) => world.client.send({ to: "bob" }, text),
      (text: string) => world.client.send({ threadId: conversation.threadId }, text),
      (text: string) => conversation.send(text),
    ];
    const texts = Array.from({ length: 60 }, (_, at) => `message ${at}`);
    await Promise.all(texts.map((text, at) => ways[at % ways.length]?.(text)));
    assert.deepEqual(
      world.client.outbox().map(({ text }) => text),
      texts,
    );
    await world.client.close();
  });

  it("keep their order beside calls that are refused", async () => {
    const world = await new ClientWorld().start();
    const calls = ["one", "", "two"].map((text) => world.client.send({ to: "bob" }, text));
    const ends = await Promise.allSettled([...calls, world.client.send({ to: "bob b" }, "x")]);
    assert.deepEqual(
      ends.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "rejected"],
    );
    assert.deepEqual(
      world.client.outbox().map(({ text }) => text),
      ["one", "two"],
    );
    await world.client.close();
  });

  it("are not said before they are safe, whatever else goes on", async () => {
    const storage = new HeldStorage();
    const world = await new ClientWorld().live(storage);
    const { stream } = world.transport;
    const other = "cd".repeat(16);
    await world.client.send({ threadId: other }, "before");
    await settled();
    const release = storage.hold();
    const unsafe = world.client.send({ threadId: THREAD }, "hi");
    const behind = world.client.send({ threadId: THREAD }, "and on");
    const ends = Promise.allSettled([unsafe, behind]);
    await settled();
    const [before] = stream.frames("send");
    const accepted = { clientId: before?.clientId, threadId: fromHex(other), seq: 1n, createdAtMs: 1n };
    stream.hear({ case: "accepted", value: accepted });
    await settled();
    assert.equal(stream.frames("send").length, 1, "it is not on storage yet");
    storage.failures = 2;
    release();
    assert.deepEqual(
      (await ends).map(({ status }) => status),
      ["rejected", "rejected"],
    );
    await settled();
    assert.equal(stream.frames("send").length, 1, "it was said not to be kept");
    assert.deepEqual(world.client.outbox(), []);
    await world.client.send({ threadId: THREAD }, "again");
    await settled();
    assert.equal(stream.frames("send").length, 2, "and the next goes");
    await world.client.close();
    const later = await new ClientWorld().start(storage);
    const texts = later.client.outbox().map(({ text }) => text);
    assert.deepEqual(texts, ["again"], "what was said not to be kept does not come back");
    await later.client.close();
  });

  it("are retried or discarded as a whole, or not at all", async () => {
    const storage = new HeldStorage();
    const world = await new ClientWorld().live(storage);
    const { client } = world;
    const send = await client.send({ threadId: THREAD }, "hi");
    await settled();
    const errorInfo = { domain: "heddle", reason: "INVALID_FIELD", metadata: { committed: "never" } };
    const refused = {
      clientId: fromHex(send.item.clientId),
      code: Code.INVALID_ARGUMENT,
      errorInfo,
    };
    world.transport.stream.hear({ case: "refused", value: refused });
    await settled();
    const waiting = () => client.outbox().map(({ clientId, state }) => [clientId, state]);
    const failed = [[send.item.clientId, "failed"]];
    storage.isFull = true;
    await assert.rejects(client.discard(send.item.clientId), /disk full|cannot keep/);
    assert.deepEqual(waiting(), failed);
    await assert.rejects(client.retry(send.item.clientId), { reason: ErrorReason.STORE_UNAVAILABLE });
    assert.deepEqual(waiting(), failed);
    storage.isFull = false;
    const [again, twice] = await Promise.allSettled([
      client.retry(send.item.clientId),
      client.retry(send.item.clientId),
    ]);
    assert.deepEqual([again.status, twice.status], ["fulfilled", "rejected"], "once is enough");
    assert.equal(client.outbox().length, 1);
    const written = storage.asked.at(-1)?.filter((key) => key.startsWith("outbox/"));
    assert.equal(written?.length, 2, "the old one goes with the write that keeps the new one");
    await client.close();
  });

  it("are followed until their outcome is known, however many others are sent meanwhile", () => {
    const sends = new Sends({ get: () => undefined }, new Events());
    const item = (clientId: string, seq?: number): OutboxItem => ({
      ...{ clientId, threadId: THREAD, to: undefined, text: "hi", composedAtMs: 1, baseSeq: 0, attempt: 1 },
      ...{ seq, createdAtMs: undefined, recipientOffline: undefined, error: undefined },
      state: seq === undefined ? "sending" : "sent",
    });
    const first = sends.follow(item("first"));
    for (let seq = 1; seq <= 1_500; seq++) sends.follow(item(`sent ${seq}`, seq));
    assert.equal(sends.follow(item("first")), first);
    assert.equal(sends.threads().size, 1);
    sends.close();
  });

  it("are refused at once for what no server takes", async () => {
    const world = await new ClientWorld().live();
    for (const text of ["", "x".repeat(32_769), "\ud800"]) {
      await assert.rejects(world.client.send({ to: "bob" }, text), { code: Code.INVALID_ARGUMENT });
    }
    await assert.rejects(world.client.send({ to: "bob b" }, "hi"), { code: Code.INVALID_ARGUMENT });
    await assert.rejects(world.client.send({ to: "ann" }, "hi"), { reason: ErrorReason.SELF_THREAD });
    await assert.rejects(world.client.send({ threadId: "zz" }, "hi"), { code: Code.INVALID_ARGUMENT });
    await world.client.close();
  });
});
