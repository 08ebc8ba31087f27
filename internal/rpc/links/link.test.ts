import assert from "node:assert/strict";
import { Code, ErrorReason, HeddleError, threadNotFound } from "../../base/heddle-error.ts";
import { LinkItemSchema, type LinkItem as Message } from "../../gen/heddle/link/v1/link_pb.js";
import { eventLoopTick } from "../../stream/each-tick.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { Budget } from "./budget.ts";
import { KeptLink } from "./kept-link.ts";
import { DEFAULT_LIMITS, FRAME_BYTES, type LinkLimits } from "./limits.ts";
import { LinkClient } from "./link-client.ts";
import { encodeFrame, LinkItemKind } from "./link-frames.ts";
import { hears, type LinkMethod } from "./link-methods.ts";
import { LinkServer, serves } from "./link-server.ts";
import { memoryPair } from "./memory-pair.ts";

const ECHO: LinkMethod<typeof LinkItemSchema, typeof LinkItemSchema> = {
  number: 1,
  input: LinkItemSchema,
  output: LinkItemSchema,
};
const NEWS = { number: 2, input: LinkItemSchema };

const turn = () => new Promise((resolve) => setImmediate(resolve));
async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    assert.ok(turns < 10_000, "it never came to that");
    await turn();
  }
}

/** A link in memory whose server echoes, or answers as the test says. */
function world(
  answer: (request: Message, budget: Budget) => object | Promise<object> = (request) => request,
  limits: LinkLimits = DEFAULT_LIMITS,
) {
  const clock = new FakeClock();
  const pair = memoryPair(eventLoopTick);
  const context = { clock, tick: eventLoopTick, limits };
  const news: number[] = [];
  const reasons: { client?: string; server?: string } = {};
  const faults: unknown[] = [];
  const client = new LinkClient({
    ...context,
    stream: pair.near,
    service: "echo",
    notices: [hears(NEWS, ({ id }) => news.push(Number(id)))],
    closed: ({ message }) => {
      reasons.client = message;
    },
  });
  const server = new LinkServer({
    ...context,
    stream: pair.far,
    service: "echo",
    handlers: [serves(ECHO, answer)],
    fault: (error) => {
      faults.push(error);
      return HeddleError.from(error, "r1");
    },
    closed: ({ message }) => {
      reasons.server = message;
    },
  });
  return { clock, pair, client, server, news, reasons, faults };
}

const unknown = { code: Code.UNAVAILABLE, reason: ErrorReason.PEER_UNAVAILABLE };

describe("A link", () => {
  it("answers each request with its own answer, many in flight", async () => {
    const { client } = world(async (request) => {
      if (Number(request.id) % 3 === 0) await turn();
      return { id: request.id };
    });
    const asked = Array.from({ length: 1_000 }, (_, at) => client.call(ECHO, { id: BigInt(at) }, 1_000));
    const answers = (await Promise.all(asked)).map(({ id }) => Number(id));
    assert.deepEqual(
      answers,
      answers.map((_, at) => at),
    );
  });

  it("carries a body above the frame's limit in parts, between others, in order", async () => {
    const body = Uint8Array.from({ length: FRAME_BYTES + 12_345 }, (_, at) => at % 251);
    const { client, server, news } = world();
    server.notify(NEWS, { id: 1n });
    server.notify(NEWS, { id: 2n, body });
    server.notify(NEWS, { id: 3n });
    const [small, large] = await Promise.all([
      client.call(ECHO, { id: 1n }, 1_000),
      client.call(ECHO, { id: 2n, body }, 1_000),
    ]);
    assert.equal(small.id, 1n);
    assert.ok(Buffer.from(body).equals(large.body));
    assert.deepEqual(news, [1, 2, 3]);
  });

  it("says nothing of a body of which a part is missing", async () => {
    const handled: Message[] = [];
    const { client, pair, server } = world((request) => {
      handled.push(request);
      return {};
    });
    const refused = assert.rejects(client.call(ECHO, { body: new Uint8Array(1_000_000) }, 1_000), unknown);
    await turn(); // The first part is written.
    await turn();
    pair.cut();
    await refused;
    await until(() => server.isClosed);
    assert.deepEqual(handled, []);
  });

  it("hands over bodies in memory of their own", async () => {
    const bodies: Uint8Array[] = [];
    const pair = memoryPair(eventLoopTick);
    const context = { clock: new FakeClock(), tick: eventLoopTick, limits: DEFAULT_LIMITS };
    const hear = (body: Uint8Array) => bodies.push(body);
    new LinkClient({ ...context, stream: pair.near, service: "echo", notices: [{ number: 2, hear }] });
    const item = { id: 0, kind: LinkItemKind.NOTICE, method: 2, budgetMs: 0, goesOn: false };
    const frame = encodeFrame([{ ...item, body: new Uint8Array(16) }]);
    pair.far.write(Buffer.concat([frame, new Uint8Array(0)]));
    await until(() => bodies.length === 1);
    assert.equal(bodies[0]?.buffer.byteLength, 16);
  });

  it("closes with a reason on bytes that are no frame, at either end", async () => {
    for (const bytes of [
      Uint8Array.of(0x0a, 0x05, 1),
      Uint8Array.of(0x0a, 0x02, 0x10, 0x09),
      new Uint8Array(FRAME_BYTES + 1),
    ]) {
      const first = world();
      first.pair.near.write(bytes);
      await until(() => first.server.isClosed && first.client.isClosed);
      assert.match(first.reasons.server ?? "", /frame|item|EOF|kind|wire|tag/i);
      const second = world();
      const asked = second.client.call(ECHO, {}, 1_000);
      second.pair.far.write(bytes);
      await assert.rejects(asked, unknown);
      assert.ok(second.client.isClosed);
    }
  });

  it("holds at the source an end that asks more than is worked on", async () => {
    const finish: (() => void)[] = [];
    const limits = { queueBytes: 1 << 20, workBytes: 10_000 };
    const { client, server } = world(
      () => new Promise<object>((resolve) => finish.push(() => resolve({}))),
      limits,
    );
    const body = new Uint8Array(1_000);
    const asked: Promise<unknown>[] = [];
    for (let at = 0; at < 200; at++) {
      asked.push(client.call(ECHO, { body }, 1_000));
      if (at % 5 === 4) await turn();
    }
    for (let turns = 0; turns < 50; turns++) await turn();
    assert.ok(server.workBytes <= limits.workBytes + 6 * 1_100, `${server.workBytes} bytes are worked on`);
    while (finish.length > 0) {
      for (const done of finish.splice(0)) done();
      for (let turns = 0; turns < 5; turns++) await turn();
    }
    await Promise.all(asked);
    assert.equal(server.workBytes, 0);
  });

  it("closes, and skips nothing, when the other end stopped reading and its bound is reached", async () => {
    const limits = { queueBytes: 200_000, workBytes: 10_000 };
    const { pair, server, news, client, reasons } = world(undefined, limits);
    server.notify(NEWS, { id: 0n });
    await until(() => news.length === 1);
    pair.near.pause();
    let said = 1;
    for (; !server.isClosed; said++) {
      assert.ok(server.queuedBytes <= limits.queueBytes + 11_000);
      server.notify(NEWS, { id: BigInt(said), body: new Uint8Array(10_000) });
      await turn();
    }
    assert.match(reasons.server ?? "", /does not read/);
    pair.near.resume();
    await until(() => client.isClosed);
    assert.deepEqual(
      news,
      news.map((_, at) => at),
    );
    assert.ok(news.length < said);
  });

  it("refuses a call, unasked, while it is full", async () => {
    const { pair, client, server } = world(undefined, { queueBytes: 5_000, workBytes: 10_000 });
    pair.far.pause();
    const asked = [client.call(ECHO, { body: new Uint8Array(6_000) }, 1_000)];
    await assert.rejects(client.call(ECHO, {}, 1_000), { reason: ErrorReason.OVERLOADED });
    pair.far.resume();
    await Promise.all(asked);
    assert.equal(server.isClosed, false);
    await client.call(ECHO, {}, 1_000);
  });

  it("lives while both ends say nothing, and closes 10 s after the other end froze", async () => {
    const { clock, pair, client, server } = world();
    for (let turns = 0; turns < 8; turns++) {
      clock.advance(5_000);
      await turn();
      await turn();
    }
    assert.equal(client.isClosed || server.isClosed, false);
    pair.freeze();
    const asked = client.call(ECHO, {}, 60_000);
    const refused = assert.rejects(asked, unknown);
    for (const ms of [5_000, 4_900]) {
      clock.advance(ms);
      await turn();
      assert.equal(client.isClosed || server.isClosed, false);
    }
    clock.advance(100);
    assert.ok(client.isClosed && server.isClosed);
    await refused;
  });

  it("outlives a pause of its process", async () => {
    const { clock, client, server } = world();
    clock.advance(5_000);
    await turn();
    clock.advance(4_000);
    clock.advance(1_000);
    await turn();
    await turn();
    clock.advance(5_000);
    assert.equal(client.isClosed || server.isClosed, false);
  });

  it("closes no good link after a pause that was longer than that: its turn comes late", async () => {
    const { clock, client, server } = world();
    await turn();
    clock.sleep(14_000);
    await turn();
    await turn();
    clock.advance(5_000);
    assert.equal(client.isClosed || server.isClosed, false);
  });

  it("gives up on a call when its budget is spent: outcome unknown", async () => {
    const { clock, client } = world(() => new Promise<object>(() => {}));
    const refused = assert.rejects(client.call(ECHO, {}, 300), unknown);
    await turn();
    clock.advance(600);
    await refused;
    assert.equal(client.waiting, 0);
  });

  it("tells how long the asker waits, and what is asked on its behalf gets less", async () => {
    const budgets: number[] = [];
    const { client } = world((_, budget) => {
      const append = budget.part(8_000);
      budgets.push(budget.leftMs, append.leftMs, append.part(3_000).leftMs, budget.part(60_000).leftMs);
      return {};
    });
    await client.call(ECHO, {}, 10_000);
    assert.deepEqual(budgets, [10_000, 8_000, 3_000, 9_750]);
    const spent = new Budget(new FakeClock(), 100);
    assert.equal(spent.part(3_000).leftMs, 0);
  });

  it("passes on what the service refused, and shows a fault as ours", async () => {
    const errors: (() => Error)[] = [threadNotFound, () => new TypeError("a bug")];
    const { client, faults } = world(() => {
      throw errors.shift()?.() ?? new Error("no more");
    });
    await assert.rejects(client.call(ECHO, {}, 1_000), {
      code: Code.NOT_FOUND,
      reason: ErrorReason.THREAD_NOT_FOUND,
    });
    await assert.rejects(client.call(ECHO, {}, 1_000), { code: Code.INTERNAL, reason: ErrorReason.FAULT });
    assert.equal(faults.length, 1);
  });

  it("rejects all that waits when it is cut: outcome unknown", async () => {
    const { client, pair } = world(() => new Promise<object>(() => {}));
    const asked = [client.call(ECHO, {}, 1_000), client.call(ECHO, {}, 1_000)].map((call) =>
      assert.rejects(call, unknown),
    );
    await turn();
    pair.cut();
    await Promise.all(asked);
    await assert.rejects(client.call(ECHO, {}, 1_000), unknown);
  });
});

describe("A kept link", () => {
  it("dials again when it broke, later each time, and repeats no call", async () => {
    const clock = new FakeClock();
    let dials = 0;
    let asked = 0;
    const pairs: ReturnType<typeof memoryPair>[] = [];
    const context = { clock, tick: eventLoopTick, limits: DEFAULT_LIMITS, service: "echo" };
    const link = new KeptLink({
      ...context,
      dial: () => {
        dials++;
        const pair = memoryPair(eventLoopTick);
        pairs.push(pair);
        const answer = () => {
          asked++;
          return dials === 2 ? {} : new Promise<object>(() => {});
        };
        const fault = (error: unknown) => HeddleError.from(error, "r1");
        new LinkServer({ ...context, stream: pair.far, handlers: [serves(ECHO, answer)], fault });
        return pair.near;
      },
    });
    const first = assert.rejects(link.call(ECHO, {}, 1_000), unknown);
    await until(() => asked === 1);
    pairs[0]?.cut();
    await first;
    await assert.rejects(link.call(ECHO, {}, 1_000), unknown);
    assert.deepEqual([dials, asked], [1, 1]);
    clock.advance(100);
    await link.call(ECHO, {}, 1_000);
    assert.deepEqual([dials, asked], [2, 2]);
    link.close();
    await assert.rejects(link.call(ECHO, {}, 1_000), unknown);
  });
});
