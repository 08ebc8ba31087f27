import assert from "node:assert/strict";
import { fromHex } from "../internal/base/ids.ts";
import type {
  ListEntriesRequest,
  ResolveSendRequest,
} from "../internal/gen-web/heddle/message/v1/message_service_pb.js";
import { DrainingReason } from "../internal/gen-web/heddle/push/v1/frame_pb.js";
import type { SyncRequest } from "../internal/gen-web/heddle/thread/v1/thread_service_pb.js";
import { FakeClock } from "../internal/testing/fake-clock.ts";
import { FakeTransport } from "../internal/testing/fake-transport.ts";
import {
  type Client,
  type ClientEvent,
  Code,
  connect,
  ErrorReason,
  HeddleError,
  MemoryStorage,
} from "./index.ts";
import type { Storage } from "./storage.ts";

const THREAD = "ab".repeat(16);

/** Everything that is due without time passing has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function wireEntry(seq: number, more: object = {}) {
  const body = { kind: { case: "text", value: { text: `message ${seq}` } } } as const;
  const ids = { threadId: fromHex(THREAD), clientId: fromHex(seq.toString(16).padStart(32, "0")) };
  return { ...ids, seq: BigInt(seq), sender: "bob", ordinal: BigInt(seq), createdAtMs: 1n, body, ...more };
}

const head = (seq: number) => ({ seq: BigInt(seq), ordinal: BigInt(seq) });

function wireRow(seq: number, readSeq = 0) {
  const id = { threadId: fromHex(THREAD), participants: ["ann", "bob"], kind: 1 };
  return { ...id, head: head(seq), readSeq: BigInt(readSeq), readOrdinal: BigInt(readSeq) };
}

/** Serves the log 1..head. */
function listEntries(request: ListEntriesRequest, last: number) {
  const { position, pageSize } = request;
  const size = pageSize || 50;
  const from =
    position.case === "afterSeq"
      ? Number(position.value) + 1
      : Math.max(1, (position.case === "beforeSeq" ? Number(position.value) : last + 1) - size);
  const to = Math.min(position.case === "beforeSeq" ? Number(position.value) - 1 : last, from + size - 1);
  const entries = Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => wireEntry(from + at));
  return { entries, head: head(last) };
}

class World {
  readonly clock = new FakeClock();
  readonly transport = new FakeTransport();
  readonly events: ClientEvent[] = [];
  readonly stale: boolean[] = [];
  client!: Client;

  async start(storage: Storage = new MemoryStorage()): Promise<this> {
    this.client = await connect({
      userId: "ann",
      deviceId: "ann-1",
      transport: this.transport,
      clock: this.clock,
      random: () => 0.5,
      storage,
      credentials: ({ isStale }) => {
        this.stale.push(isStale);
        return Promise.resolve(`token ${this.stale.length}`);
      },
    });
    this.client.on((event) => this.events.push(event));
    await settled();
    return this;
  }

  /** Live, on its first stream. */
  async live(storage?: Storage): Promise<this> {
    await this.start(storage);
    this.transport.stream.welcome("ann");
    await settled();
    assert.equal(this.client.state.phase, "live");
    return this;
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settled();
  }

  seqs(): number[] {
    return this.events.flatMap((event) => (event.type === "entry" ? [event.entry.seq] : []));
  }

  phases(): string[] {
    return this.events.flatMap((event) => (event.type === "state" ? [event.state.phase] : []));
  }
}

const unavailable = new HeddleError(Code.UNAVAILABLE, ErrorReason.UNSPECIFIED, "away");

describe("A client's connection", () => {
  it("goes from connecting over backfilling to live", async () => {
    const world = await new World().start();
    assert.equal(world.client.state.phase, "connecting");
    world.transport.stream.welcome("ann");
    await settled();
    assert.deepEqual(world.phases(), ["backfilling", "live"]);
    await world.client.ready();
    await world.client.close();
    assert.equal(world.transport.isClosed, true);
    assert.equal(world.transport.stream.isClosed, true);
  });

  for (const code of [Code.ABORTED, Code.INTERNAL, Code.UNAVAILABLE, Code.CANCELLED, undefined]) {
    it(`asks the gateway again when a stream ends with ${code === undefined ? "nothing" : Code[code]}`, async () => {
      const world = await new World().live();
      world.transport.stream.end(
        code === undefined ? code : new HeddleError(code, ErrorReason.UNSPECIFIED, "over"),
      );
      await settled();
      assert.equal(world.client.state.phase, "offline");
      assert.equal(world.transport.streams.length, 1, "not at once: all others lost theirs too");
      await world.pass(100);
      assert.equal(world.transport.streams.length, 2);
      assert.equal(world.transport.requests("OpenSession").length, 2);
      await world.client.close();
    });
  }

  it("backs off while the gateway is away, waits as long as that asks, and comes at once to the foreground", async () => {
    const world = new World();
    let asked = 0;
    world.transport.answers.OpenSession = () => {
      asked += 1;
      const retryAfterMs = asked === 3 ? 60_000 : 0;
      throw new HeddleError(Code.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE, "away", { retryAfterMs });
    };
    await world.start();
    await world.pass(100);
    await world.pass(200);
    assert.equal(asked, 3);
    await world.pass(59_000);
    assert.equal(asked, 3, "RetryInfo is heeded");
    world.client.foreground();
    await settled();
    assert.equal(asked, 4);
    assert.equal(world.client.state.reason?.kind, "server-away");
    await world.client.close();
  });

  it("opens the next session before it closes the one that drains", async () => {
    const world = await new World().live();
    const [first] = world.transport.streams;
    const value = { afterMs: 3_000, jitterMs: 1_000, reason: DrainingReason.SHUTDOWN };
    first?.hear({ case: "draining", value });
    await settled();
    assert.equal(world.client.state.phase, "draining");
    assert.equal(world.transport.streams.length, 1, "jitter");
    await world.pass(500);
    assert.equal(world.transport.streams.length, 2);
    assert.equal(first?.isClosed, false);
    world.transport.stream.welcome("ann");
    await settled();
    assert.equal(first?.isClosed, true);
    assert.equal(world.client.state.phase, "live");
    assert.ok(!world.phases().includes("offline"));
    await world.client.close();
  });

  it("fetches a new token when the old one runs out", async () => {
    const world = await new World().live();
    const value = { afterMs: 5_000, jitterMs: 0, reason: DrainingReason.TOKEN_EXPIRED };
    world.transport.stream.hear({ case: "draining", value });
    await settled();
    await world.pass(1);
    assert.deepEqual(world.stale, [false, true]);
    assert.equal(world.transport.calls.at(-1)?.token, "token 2");
    await world.client.close();
  });

  it("does not come back when the device was revoked", async () => {
    for (const isAnnounced of [true, false]) {
      const world = await new World().live();
      const value = { afterMs: 0, jitterMs: 0, reason: DrainingReason.DEVICE_REVOKED };
      if (isAnnounced) world.transport.stream.hear({ case: "draining", value });
      const revoked = new HeddleError(Code.PERMISSION_DENIED, ErrorReason.DEVICE_REVOKED, "revoked");
      world.transport.stream.end(isAnnounced ? undefined : revoked);
      await settled();
      await world.pass(600_000);
      assert.equal(world.client.state.phase, "signed-out");
      assert.equal(world.client.state.reason?.kind, "device-revoked");
      assert.equal(world.transport.streams.length, 1);
      await assert.rejects(world.client.ready());
      await world.client.close();
    }
  });

  it("is signed out when fresh tokens are not believed, or are another user's", async () => {
    const world = new World();
    world.transport.answers.OpenSession = () => {
      throw new HeddleError(Code.UNAUTHENTICATED, ErrorReason.TOKEN_INVALID, "no");
    };
    await world.start();
    for (let at = 0; at < 5; at++) await world.pass(1_000);
    assert.equal(world.client.state.reason?.kind, "not-signed-in");
    const other = await new World().start();
    other.transport.stream.welcome("mallory");
    await settled();
    assert.equal(other.client.state.phase, "signed-out");
    await Promise.all([world.client.close(), other.client.close()]);
  });

  it("begins without a cursor that the server does not know", async () => {
    const storage = new MemoryStorage();
    await storage.write([{ key: "cursor", value: "beef" }]);
    const world = await new World().start(storage);
    assert.deepEqual(world.transport.stream.options.cursor, fromHex("beef"));
    const metadata = { field: "cursor" };
    world.transport.stream.end(
      new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.TOKEN_MALFORMED, "?", { metadata }),
    );
    await settled();
    await world.pass(1_000);
    assert.equal(world.transport.stream.options.cursor.length, 0);
    await world.client.close();
  });
});

describe("A client's session", () => {
  it("acks within 200 ms or 32 events, and counts what it does not know", async () => {
    const world = await new World().live();
    const { stream } = world.transport;
    await world.pass(200);
    assert.deepEqual(
      stream.frames("ack").map(({ upTo }) => upTo),
      [2n],
    );
    stream.hear(...Array.from({ length: 31 }, () => ({ case: "pong", value: {} }) as const));
    await settled();
    assert.equal(stream.frames("ack").length, 1);
    stream.hear({ case: "neverHeardOf" as never, value: {} });
    await settled();
    assert.deepEqual(
      stream.frames("ack").map(({ upTo }) => upTo),
      [2n, 34n],
    );
    await world.client.close();
  });

  it("pings, and takes ten seconds of silence for the end", async () => {
    const world = await new World().live();
    const [stream] = world.transport.streams;
    await world.pass(15_000);
    assert.equal(stream?.frames("ping").length, 1);
    stream?.hear({ case: "pong", value: {} });
    await settled();
    await world.pass(15_000);
    assert.equal(stream?.frames("ping").length, 2);
    await world.pass(9_999);
    assert.equal(stream?.isClosed, false);
    await world.pass(1);
    assert.equal(stream?.isClosed, true);
    assert.equal(world.client.state.reason?.kind, "no-answer");
    await world.client.close();
  });

  it("gives up on a stream that never opens", async () => {
    const world = await new World().start();
    await world.pass(10_000);
    assert.equal(world.transport.stream.isClosed, true);
    await world.client.close();
  });

  it("opens anew when the push server does not hold the session", async () => {
    const world = await new World().live();
    const { stream } = world.transport;
    stream.say = () =>
      Promise.reject(new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.NO_SESSION, "gone"));
    await world.pass(200);
    await world.pass(200);
    assert.equal(world.transport.streams.length, 2);
    await world.client.close();
  });
});

describe("What a client holds", () => {
  it("fills a gap by pulling exactly what is missing, and gives entries out in order, each once", async () => {
    const world = await new World().live();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 9);
    const { stream } = world.transport;
    stream.hear({ case: "entry", value: wireEntry(1) });
    stream.hear({ case: "entry", value: wireEntry(5) }, { case: "entry", value: wireEntry(1) });
    await settled();
    assert.deepEqual(world.seqs(), [1]);
    await world.pass(30);
    const [pull] = world.transport.requests<ListEntriesRequest>("ListEntries");
    assert.deepEqual(pull?.position, { case: "afterSeq", value: 1n });
    assert.equal(pull?.pageSize, 3);
    assert.deepEqual(world.seqs().slice(0, 5), [1, 2, 3, 4, 5]);
    await world.client.close();
  });

  it("pulls up to the head that a behind names", async () => {
    const world = await new World().live();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 300);
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(300) } });
    await settled();
    await world.pass(30);
    assert.deepEqual(
      world.seqs(),
      Array.from({ length: 300 }, (_, at) => at + 1),
    );
    assert.equal(world.transport.requests("ListEntries").length, 2);
    await world.client.close();
  });

  it("tries a pull again until it has what is missing", async () => {
    const world = await new World().live();
    let tries = 0;
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => {
      if (++tries < 4) throw unavailable;
      return listEntries(request, 2);
    };
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(2) } });
    await settled();
    for (let at = 0; at < 10; at++) await world.pass(1_000);
    assert.deepEqual(world.seqs(), [1, 2]);
    await world.client.close();
  });

  it("syncs from the last cursor on behind_all, every ten minutes, and in the foreground", async () => {
    const world = await new World().live();
    world.transport.answers.Sync = (request: SyncRequest) =>
      request.pageToken.length === 0
        ? { nextPageToken: new Uint8Array([7]) }
        : { cursor: new Uint8Array([2]) };
    world.transport.stream.hear({ case: "behindAll", value: {} });
    await settled();
    const [first, second] = world.transport.requests<SyncRequest>("Sync");
    assert.deepEqual(first?.cursor, new Uint8Array([1]));
    assert.deepEqual([second?.cursor, second?.pageToken], [new Uint8Array([1]), new Uint8Array([7])]);
    const pong = setPong(world);
    await pong(600_000);
    assert.equal(world.transport.requests("Sync").length, 4);
    assert.deepEqual(world.transport.requests<SyncRequest>("Sync")[2]?.cursor, new Uint8Array([2]));
    world.client.foreground();
    await settled();
    assert.equal(world.transport.requests("Sync").length, 6);
    await world.client.close();
  });

  it("keeps heads before the cursor, and resumes with both", async () => {
    const storage = new MemoryStorage();
    const order: string[] = [];
    const spy: Storage = {
      load: () => storage.load(),
      write: (changes) => {
        order.push(changes.map(({ key }) => key.split("/")[0]).join(" "));
        return storage.write(changes);
      },
      close: () => storage.close(),
    };
    const first = await new World().start(spy);
    first.transport.answers.ListEntries = () => {
      throw unavailable;
    };
    const row = { threadId: fromHex(THREAD), head: head(4), thread: wireRow(4) };
    first.transport.stream.hear({ case: "threadChanged", value: row });
    first.transport.stream.welcome("ann", new Uint8Array([9]));
    await settled();
    await first.client.close();
    assert.deepEqual(order, ["thread cursor"]);
    const second = new World();
    second.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 4);
    await second.live(storage);
    assert.deepEqual(second.transport.stream.options.cursor, new Uint8Array([9]));
    await second.pass(30);
    assert.deepEqual(second.seqs(), [1, 2, 3, 4], "what was named and never pulled is pulled now");
    await second.client.close();
  });

  it("catches up with a bounded number of entries and says what it left out", async () => {
    const world = await new World().live();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 5_000);
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(5_000) } });
    await settled();
    await world.pass(30);
    assert.equal(world.seqs()[0], 4_001);
    assert.equal(world.seqs().length, 1_000);
    const behind = world.events.find((event) => event.type === "behind");
    assert.deepEqual(behind, { type: "behind", threadId: THREAD, upTo: 4_000 });
    await world.client.close();
  });

  it("takes what the user has read elsewhere for history on a new device, and counts the rest as unread", async () => {
    const world = await new World().start();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 6);
    const row = { threadId: fromHex(THREAD), head: head(6), thread: wireRow(6, 4) };
    world.transport.stream.hear({ case: "threadChanged", value: row });
    world.transport.stream.welcome("ann");
    await settled();
    await world.pass(30);
    assert.deepEqual(world.seqs(), [5, 6]);
    const [thread] = world.client.threads();
    assert.equal(thread?.unread, 2);
    assert.equal(thread?.peer, "bob");
    await world.client.close();
  });
});

describe("A client's read positions", () => {
  it("are repeated at every open until a thread row has confirmed them", async () => {
    const storage = new MemoryStorage();
    const world = await new World().live(storage);
    const { stream } = world.transport;
    const row = { threadId: fromHex(THREAD), head: head(1), thread: wireRow(1) };
    stream.hear({ case: "entry", value: wireEntry(1) }, { case: "threadChanged", value: row });
    await settled();
    world.client.markRead(THREAD, 1);
    assert.equal(world.client.threads()[0]?.unread, 0);
    await world.pass(200);
    assert.deepEqual(
      stream.frames("receipt").map(({ readSeq }) => readSeq),
      [1n],
    );
    await world.client.close();
    const again = await new World().live(storage);
    await again.pass(200);
    assert.deepEqual(
      again.transport.stream.frames("receipt").map(({ readSeq }) => readSeq),
      [1n],
    );
    again.transport.stream.hear({ case: "threadChanged", value: { ...row, thread: wireRow(1, 1) } });
    await settled();
    await again.client.close();
    const third = await new World().live(storage);
    await third.pass(200);
    assert.deepEqual(
      third.transport.stream.frames("receipt").map(({ readSeq }) => readSeq),
      [],
    );
    await third.client.close();
  });

  it("say that pulled entries are delivered, which no ack covers", async () => {
    const world = await new World().live();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 3);
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(3) } });
    await settled();
    await world.pass(30);
    await world.pass(200);
    const receipts = world.transport.stream.frames("receipt");
    assert.deepEqual(
      receipts.map(({ deliveredSeq }) => deliveredSeq),
      [3n],
    );
    await world.client.close();
  });
});

describe("A client's sends", () => {
  it("leave the outbox for a live entry, and never for one found in pulled history", async () => {
    const world = await new World().live();
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
    const world = await new World().live();
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
    const world = await new World().live();
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
    const world = await new World().live();
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
    const world = await new World().live();
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
    const world = await new World().live();
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
    const world = await new World().live(storage);
    storage.write = () => Promise.reject(new Error("disk full"));
    await assert.rejects(world.client.send({ to: "bob" }, "hi"), { reason: ErrorReason.STORE_UNAVAILABLE });
    assert.equal(world.client.outbox().length, 0);
    assert.equal(world.transport.stream.frames("send").length, 0);
    await world.client.close();
  });

  it("are refused at once for what no server takes", async () => {
    const world = await new World().live();
    for (const text of ["", "x".repeat(8_193), "\ud800"]) {
      await assert.rejects(world.client.send({ to: "bob" }, text), { code: Code.INVALID_ARGUMENT });
    }
    await assert.rejects(world.client.send({ to: "Bob!" }, "hi"), { code: Code.INVALID_ARGUMENT });
    await assert.rejects(world.client.send({ to: "ann" }, "hi"), { reason: ErrorReason.SELF_THREAD });
    await assert.rejects(world.client.send({ threadId: "zz" }, "hi"), { code: Code.INVALID_ARGUMENT });
    await world.client.close();
  });
});

/** Time passes, with every ping answered. */
function setPong(world: World): (ms: number) => Promise<void> {
  return async (ms) => {
    for (let passed = 0; passed < ms; passed += 5_000) {
      await world.pass(5_000);
      world.transport.stream.hear({ case: "pong", value: {} });
      await settled();
    }
  };
}
