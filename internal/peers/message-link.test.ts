import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { Code, ErrorReason, HeddleError } from "../base/heddle-error.ts";
import type { Accepted, Send } from "../base/send.ts";
import { BodySchema } from "../gen/heddle/message/v1/entry_pb.js";
import { MessageInternalService } from "../gen/heddle/message/v1/message_internal_service_pb.js";
import { MessageService } from "../message/service.ts";
import { bind } from "../rpc/calls/handlers.ts";
import { insider } from "../rpc/calls/internal-services.ts";
import { SETTLE_MS } from "../rpc/links/budget.ts";
import { DEFAULT_LIMITS } from "../rpc/links/limits.ts";
import { LinkClient } from "../rpc/links/link-client.ts";
import { LinkServer } from "../rpc/links/link-server.ts";
import { eventLoopTick } from "../stream/each-tick.ts";
import { HookedStore, KeptChannel, MemoryThreads } from "../testing/fakes/message/message-ports.ts";
import { sendOf, until } from "../testing/fakes/message/message-samples.ts";
import { WAYS } from "../testing/fakes/streams/linked.ts";
import { startRpcListeners } from "../testing/fakes/streams/rpc-listeners.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import type { ServeLink } from "./link-listener.ts";
import { MessageClient } from "./message-client.ts";
import { messageHandlers } from "./message-server.ts";

for (const [way, serve] of WAYS) {
  describe(`The message service over ${way}`, () => {
    let closes: (() => unknown)[] = [];
    afterEach(async () => {
      for (const close of closes.reverse()) await close();
      closes = [];
    });

    async function world(options: { readonly sendMs?: number } = {}) {
      const [store, threads, channel] = [new HookedStore(), new MemoryThreads(), new KeptChannel()];
      const clock = new FakeClock();
      const { groups, blocks, memory: largeGroups } = threads;
      const ports = { store, threads, groups, blocks, largeGroups, channel, clock };
      const service = new MessageService({ ...ports, ...options });
      const handlers = messageHandlers(service, clock);
      const open: ServeLink = (below) => {
        new LinkServer({ ...below, service: "message", handlers });
      };
      const start = async () => {
        const served = await serve(MessageInternalService, open, clock);
        closes.push(() => served.close());
        const link = new LinkClient({
          stream: served.dial(),
          service: "message",
          clock,
          tick: eventLoopTick,
          limits: DEFAULT_LIMITS,
        });
        closes.push(() => link.close());
        return { served, client: new MessageClient(link) };
      };
      const first = await start();
      return {
        ...first,
        start,
        store,
        threads,
        channel,
        clock,
        service,
        threadId: threads.add("ann", "bob"),
      };
    }

    const sent = (client: MessageClient, send: Send) =>
      new Promise<Accepted | HeddleError>((resolve) => client.send(send, resolve));

    it("accepts a send as the service itself would, and says it again to a repeat", async () => {
      const { client, service, threadId } = await world();
      const send = sendOf({ threadId, toUserId: "" });
      const first = await sent(client, send);
      assert.ok(!(first instanceof HeddleError), String(first));
      const again = await sent(client, { ...send, attempt: 2 });
      assert.deepEqual(again, { ...first, duplicate: true });
      const direct = await new Promise((resolve) => service.send({ ...send, attempt: 3 }, resolve));
      assert.deepEqual(again, direct);
    });

    it("makes the thread of a first send to a user", async () => {
      const { client, threads } = await world();
      const accepted = await sent(client, sendOf({ threadId: undefined, toUserId: "cay" }));
      assert.ok(!(accepted instanceof HeddleError), String(accepted));
      assert.ok(threads.has(accepted.threadId));
    });

    it("refuses as the service does, with certainty and metadata", async () => {
      const { client, threadId } = await world();
      const refusal = await sent(client, sendOf({ threadId, toUserId: "", userId: "cay" }));
      assert.ok(refusal instanceof HeddleError);
      assert.deepEqual(
        [refusal.code, refusal.reason, refusal.committedNever],
        [Code.NOT_FOUND, ErrorReason.THREAD_NOT_FOUND, true],
      );
    });

    it("takes receipts and typing, and rejects them for strangers", async () => {
      const { client, threads, channel, threadId } = await world();
      await sent(client, sendOf({ threadId, toUserId: "" }));
      const positions = { deliveredSeq: 1, readSeq: 1, originSession: "" };
      await client.raiseReceipt({ userId: "bob", threadId, ...positions });
      await client.flushReceipts("bob");
      assert.deepEqual(
        threads.raised.map(({ ownerId }) => ownerId),
        ["bob"],
      );
      const before = channel.publications.length;
      await client.typing({ userId: "bob", threadId, originSession: "" });
      assert.ok(channel.publications.length >= before);
      const notFound = { reason: ErrorReason.THREAD_NOT_FOUND };
      await assert.rejects(client.typing({ userId: "cay", threadId, originSession: "" }), notFound);
      await assert.rejects(client.raiseReceipt({ userId: "cay", threadId, ...positions }), notFound);
      await assert.rejects(client.membership(threadId, ["ann"]), HeddleError);
    });

    it("says that an outcome is unknown when the link is cut in the middle; the retry finds the entry", async () => {
      const { served, client, start, store, threadId } = await world();
      let isHeld = false;
      let release = () => {};
      store.onAppend = async (apply) => {
        const isAppended = await apply();
        isHeld = true;
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return isAppended;
      };
      const send = sendOf({ threadId, toUserId: "" });
      const outcome = sent(client, send);
      await until(() => isHeld);
      served.cut();
      const refusal = await outcome;
      assert.ok(refusal instanceof HeddleError);
      assert.deepEqual(
        [refusal.code, refusal.reason, refusal.committedNever],
        [Code.UNAVAILABLE, ErrorReason.PEER_UNAVAILABLE, false],
      );
      store.onAppend = undefined;
      release();
      const second = await start();
      const retried = await sent(second.client, { ...send, attempt: 2 });
      assert.ok(!(retried instanceof HeddleError), String(retried));
      assert.deepEqual([retried.seq, retried.duplicate], [1, true]);
    });

    it("answers a send before the push server gives up, when the store does not", async () => {
      const { client, store, clock, threadId } = await world();
      let isHeld = false;
      store.onAppend = () => {
        isHeld = true;
        return new Promise<boolean>(() => {});
      };
      const outcome = sent(client, sendOf({ threadId, toUserId: "" }));
      await until(() => isHeld);
      clock.advance(8_500);
      const refusal = await outcome;
      assert.ok(refusal instanceof HeddleError);
      assert.deepEqual([refusal.code, refusal.committedNever], [Code.UNAVAILABLE, false]);
    });

    it("passes on what the service says when a send's time is over, if that is nested in the push server's", async () => {
      const { client, store, threads, clock, threadId } = await world({ sendMs: SETTLE_MS });
      // Slow, but within the deadlines of its calls: only the send's own time ends it.
      const slow = () => new Promise<void>((resolve) => clock.after(3_400, resolve));
      let isAsked = false;
      threads.onCall = () => {
        isAsked = true;
        return slow();
      };
      store.onAppend = async (apply) => {
        await slow();
        return apply();
      };
      const outcome = sent(client, sendOf({ threadId, toUserId: "" }));
      await until(() => isAsked);
      for (let passed = 0; passed < 8_500; passed += 500) {
        clock.advance(500);
        await quiet();
      }
      const refusal = await outcome;
      assert.ok(refusal instanceof HeddleError);
      assert.deepEqual([refusal.reason, refusal.committedNever], [ErrorReason.STORE_UNAVAILABLE, false]);
    });

    it("keeps a body that is not plain text as it is", async () => {
      const { client, threadId } = await world();
      const body = create(BodySchema, { kind: { case: "text", value: { text: "as a message" } } });
      const accepted = await sent(client, { ...sendOf({ threadId, toUserId: "" }), body });
      assert.ok(!(accepted instanceof HeddleError), String(accepted));
    });
  });
}

describe("Internal services", () => {
  const binding = bind(MessageInternalService, insider, { link: (stream) => stream.end() });

  it("stand on no public listener", async () => {
    await assert.rejects(startRpcListeners([binding]), /must not stand on a public listener/);
    const listeners = await startRpcListeners([]);
    try {
      const { link } = MessageInternalService.method;
      const path = `/${link.parent.typeName}/${link.name}`;
      const asIs = (bytes: Buffer) => bytes;
      const client = new Client(listeners.grpc, credentials.createInsecure());
      const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, asIs, asIs);
      call.on("error", () => {});
      const status = await new Promise<{ code: number }>((resolve) => call.once("status", resolve));
      client.close();
      assert.equal(status.code, Code.UNIMPLEMENTED);
      const post = { method: "POST", headers: { "content-type": "application/connect+proto" }, body: "" };
      assert.equal((await fetch(`${listeners.web}${path}`, post)).status, 404);
    } finally {
      await listeners.close();
    }
  });
});
