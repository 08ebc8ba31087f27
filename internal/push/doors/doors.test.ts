import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { systemClock } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { SoleChannel } from "../../channel/sole-channel.ts";
import { DrainingReason, type Event } from "../../gen/heddle/push/v1/frame_pb.js";
import { PushService } from "../../gen/heddle/push/v1/push_service_pb.js";
import { bind, type Caller } from "../../rpc/calls/handlers.ts";
import { RawStream } from "../../testing/contract/raw-stream.ts";
import { type RpcListeners, startRpcListeners } from "../../testing/fakes/streams/rpc-listeners.ts";
import {
  entry,
  FakeMessages,
  FakeThreads,
  NO_PRESENCE,
  row,
  threadOf,
} from "../../testing/worlds/push/push-world.ts";
import { QUEUE_BYTES } from "../limits.ts";
import { PushServer } from "../service.ts";

/** The bearer is `user session`, the session's id one byte. */
async function authenticate(authorization: string | undefined): Promise<Caller> {
  const [, userId = "", session = ""] = authorization?.split(" ") ?? [];
  const never = Number.MAX_SAFE_INTEGER;
  return {
    userId,
    sessionId: new Uint8Array(16).fill(Number(session)),
    deviceId: "phone",
    openByMs: never,
    expiresAtMs: never,
    userTokenExpiresAtMs: never,
  };
}

const ID = new Uint8Array(16).fill(7);
const SEND = {
  case: "send" as const,
  value: {
    target: { case: "threadId" as const, value: ID },
    clientId: ID,
    attempt: 1,
    body: { kind: { case: "text" as const, value: { text: "hi" } } },
  },
};

const toBob = (seq: number, text = "hi") => entry({ thread: threadOf(1), seq, from: "ann", to: "bob", text });

describe("The doors of a push server, over real transports", () => {
  let channel: SoleChannel;
  let messages: FakeMessages;
  let threads: FakeThreads;
  let server: PushServer;
  let listeners: RpcListeners;
  /** Of the gRPC transport, which keeps its connection otherwise. */
  let connection: Http2SessionManager;

  beforeEach(async () => {
    channel = new SoleChannel({ clock: systemClock });
    messages = new FakeMessages();
    threads = new FakeThreads();
    threads.pages.set("07", [[row(1, 4)]]);
    const config = { name: "push", capacity: 100 };
    const log = createLog({ level: "silent" });
    const presence = NO_PRESENCE;
    server = new PushServer({ messages, threads, channel, presence, clock: systemClock, log, config });
    const binding = bind(PushService, authenticate, server.handlers, { piecewise: ["submit"] });
    listeners = await startRpcListeners([binding]);
    connection = new Http2SessionManager(`http://${listeners.grpc}`);
  });
  afterEach(async () => {
    connection.abort();
    await server.drain(DrainingReason.SHUTDOWN, 0);
    await listeners.close();
  });

  const connect = (bearer: string) => new RawStream(`http://${listeners.grpc}`, bearer);

  describe("Connect on gRPC", () => {
    it("opens, backfills, delivers, takes sends and acks", async () => {
      const bob = connect("bob 1");
      bob.open("phone", Uint8Array.of(7));
      assert.equal((await bob.next("opened")).userId, "bob");
      assert.equal((await bob.next("threadChanged")).head?.seq, 4n);
      await bob.next("caughtUp");
      await channel.publish(toBob(5));
      assert.equal((await bob.next("entry")).seq, 5n);
      bob.ack();
      bob.say(SEND as never);
      bob.say({ case: "ping", value: {} } as never);
      await bob.next("pong");
      messages.settle({ seq: 6 });
      assert.equal((await bob.next("accepted")).seq, 6n);
      assert.equal(messages.receipts[0]?.deliveredSeq, 5);
      bob.close();
    });

    it("costs a reader that has stopped 256 KiB at most, and the others nothing", async () => {
      const stopped = [connect("bob 1"), connect("bob 2"), connect("bob 3")];
      const reading = connect("bob 4");
      for (const stream of [...stopped, reading]) {
        stream.open("phone");
        await stream.next("caughtUp");
      }
      for (const stream of stopped) stream.pause();
      const last = 3_000;
      let most = 0;
      for (let seq = 1; seq <= last; seq++) {
        await channel.publish(toBob(seq, "x".repeat(300)));
        if (seq % 100 > 0) continue;
        await reading.next("entry", (value) => value.seq === BigInt(seq));
        reading.ack();
        most = Math.max(most, ...server.queuedBytes());
      }
      assert.ok(most > 10_000 && most <= QUEUE_BYTES, `${most} bytes queued`);
      assert.equal(reading.events.filter(({ kind }) => kind.case === "entry").length, last);
      for (const stream of stopped) {
        stream.resume();
        const told = stream.next("behind", (value) => value.head?.seq === BigInt(last)).then(() => false);
        // What waits goes out as credit allows, and `behind` stands after it.
        for (let seen = 0; await Promise.race([told, stream.more(seen)]); ) {
          seen = stream.events.length;
          stream.ack();
        }
        stream.close();
      }
      reading.close();
    }).timeout(60_000);
  });

  const transports = {
    Connect: () => createConnectTransport({ baseUrl: listeners.web, httpVersion: "1.1" }),
    "gRPC-Web": () => createGrpcWebTransport({ baseUrl: listeners.web, httpVersion: "1.1" }),
    gRPC: () => createGrpcTransport({ baseUrl: `http://${listeners.grpc}`, sessionManager: connection }),
  };
  for (const [name, transport] of Object.entries(transports)) {
    describe(`Subscribe and Submit on ${name}`, () => {
      it("open, backfill, deliver; take sends, acks and pings", async () => {
        const client = createClient(PushService, transport());
        const headers = { authorization: "Bearer bob 1" };
        const events = client.subscribe({ deviceId: "phone", cursor: Uint8Array.of(7) }, { headers });
        const seen: Event[] = [];
        const iterator = events[Symbol.asyncIterator]();
        const until = (kind: Event["kind"]["case"]) => readUntil(iterator, seen, kind);
        await until("caughtUp");
        await channel.publish(toBob(5));
        await until("entry");
        const frames = [
          { kind: { case: "ack" as const, value: { upTo: 4n } } },
          { kind: SEND },
          { kind: ping },
        ];
        const answer = client.submit({ frames }, { headers });
        await until("pong");
        messages.settle({ seq: 6 });
        const { outcomes } = await answer;
        assert.deepEqual(
          outcomes.map((one) => one.kind.case),
          ["taken", "accepted", "taken"],
        );
        assert.deepEqual(
          seen.map((one) => one.kind.case),
          ["opened", "threadChanged", "caughtUp", "entry", "pong"],
        );
        assert.equal(messages.receipts[0]?.deliveredSeq, 5);
        await iterator.return?.();
      });
    });
  }
});

const ping = { case: "ping" as const, value: {} };

/** Reads on without ending the stream, as `for await` would. */
async function readUntil(
  iterator: AsyncIterator<{ readonly events: Event[] }>,
  seen: Event[],
  kind: Event["kind"]["case"],
): Promise<void> {
  while (seen.at(-1)?.kind.case !== kind) {
    const next = await iterator.next();
    if (next.done) throw new Error(`the stream ended without ${kind}`);
    seen.push(...next.value.events);
  }
}
