import assert from "node:assert/strict";
import { fromHex, hex } from "../../internal/base/ids.ts";
import type { CompareHeldRequest } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import {
  ClientWorld,
  head,
  settled,
  THREAD,
  wireEntry,
  wireRow,
} from "../../internal/testing/worlds/client/client-world.ts";

/** Ids of threads beside THREAD. */
const other = (n: number) => fromHex(n.toString(16).padStart(32, "0"));

describe("What a client holds, under another log epoch", () => {
  let world: ClientWorld;
  let same: boolean;
  let lastSeq: number;

  const asked = () => world.transport.requests<CompareHeldRequest>("CompareHeld");
  const cursor = Uint8Array.of(1);

  /** A client that holds 1..3 of the thread under epoch 1. */
  beforeEach(async () => {
    [same, lastSeq] = [true, 3];
    world = await new ClientWorld().start();
    world.transport.answers.CompareHeld = ({ held }: CompareHeldRequest) => ({
      compared: held.map(({ threadId }) => ({ threadId, isSame: same, head: head(lastSeq) })),
      logEpoch: 2n,
    });
    world.transport.answers.GetThread = () => ({ thread: wireRow(lastSeq, 2) });
    world.transport.answers.ListEntries = () => ({ entries: [], head: head(lastSeq) });
    world.transport.stream.welcome("ann", cursor, { deploymentId: other(1), logEpoch: 1n });
    const row = {
      case: "threadChanged",
      value: { threadId: fromHex(THREAD), thread: wireRow(0), head: head(0) },
    };
    world.transport.stream.hear(row as never);
    for (const seq of [1, 2, 3]) world.transport.stream.hear({ case: "entry", value: wireEntry(seq) });
    await settled();
    assert.deepEqual(world.seqs(), [1, 2, 3]);
  });
  afterEach(() => world.client.close());

  /** The server starts again. */
  async function restart(logEpoch = 2n): Promise<void> {
    world.transport.stream.end();
    await settled();
    await world.pass(1_000);
    world.transport.stream.welcome("ann", cursor, { deploymentId: other(1), logEpoch });
    await settled();
  }

  /** Time for the jitter, with pings answered; then what is held has been compared so often in all. */
  async function jitter(times = 1): Promise<void> {
    await world.passAnswered(60_000);
    await until(() => asked().length >= times);
  }

  /** Resolves when it is so: a digest is no timer, and takes as long as it takes. */
  async function until(isSo: () => boolean): Promise<void> {
    do await settled();
    while (!isSo());
    await settled();
  }

  const dropped = () => world.events.filter(({ type }) => type === "dropped" || type === "put_back");

  it("stays where an entry comes while the answer, which knows an older head, is on its way", async () => {
    const answer = world.transport.answers.CompareHeld;
    world.transport.answers.CompareHeld = (request) => {
      world.transport.stream.hear({ case: "entry", value: wireEntry(4) });
      return answer?.(request) ?? {};
    };
    await restart();
    await jitter();
    assert.equal(asked().length, 1);
    assert.deepEqual(dropped(), []);
    assert.deepEqual(world.seqs(), [1, 2, 3, 4]);
  });

  it("is compared by its top, within a minute, once", async () => {
    await restart();
    assert.equal(asked().length, 0, "all clients of a server at once");
    await jitter();
    assert.equal(asked().length, 1);
    const [held] = asked()[0]?.held ?? [];
    assert.deepEqual([hex(held?.threadId ?? cursor), held?.seq, held?.entryHash.length], [THREAD, 3n, 32]);
    assert.deepEqual(dropped(), []);
    await restart();
    await jitter();
    assert.equal(asked().length, 1, "the epoch is known");
  });

  it("is compared by what it held before, whatever has come since", async () => {
    await restart();
    lastSeq = 4;
    world.transport.stream.hear({ case: "entry", value: wireEntry(4) });
    await settled();
    assert.deepEqual(world.seqs(), [1, 2, 3, 4]);
    await jitter();
    assert.equal(asked()[0]?.held[0]?.seq, 3n);
  });

  it("is compared too by what came under an epoch that ended before it was compared", async () => {
    await restart();
    for (const seq of [4, 5]) world.transport.stream.hear({ case: "entry", value: wireEntry(seq) });
    await settled();
    lastSeq = 6;
    await restart(3n);
    world.transport.stream.hear({ case: "entry", value: wireEntry(6) });
    await settled();
    // 4 and 5 are of a history that was put back since, and 1..3 are in both.
    world.transport.answers.CompareHeld = ({ held }: CompareHeldRequest) => ({
      compared: held.map(({ threadId, seq }) => ({ threadId, isSame: seq <= 3n, head: head(6) })),
      logEpoch: 3n,
    });
    await jitter();
    assert.deepEqual(
      asked()[0]?.held.map(({ seq }) => seq),
      [3n, 5n],
    );
    assert.equal(dropped().length, 2);
    assert.deepEqual(world.client.conversation(THREAD).entries, []);
  });

  it("is dropped where it is not the same, and that is said once", async () => {
    same = false;
    await restart();
    await jitter();
    assert.deepEqual(
      dropped()
        .map(({ type }) => type)
        .sort(),
      ["dropped", "put_back"],
    );
    assert.deepEqual(world.client.conversation(THREAD).entries, []);
    await world.pass(1_000);
    assert.deepEqual(
      world.client.threads().map(({ threadId, readSeq }) => [threadId, readSeq]),
      [[THREAD, 2]],
    );
  });

  it("is dropped where the log ends below what was known of it", async () => {
    lastSeq = 2;
    await restart();
    await jitter();
    assert.equal(dropped().length, 2);
  });

  it("is compared at once where something is to be sent, which waits for it", async () => {
    await restart();
    await world.client.send({ threadId: THREAD }, "hi");
    await until(() => world.transport.stream.frames("send").length > 0);
    assert.equal(asked().length, 1);
    const [send] = world.transport.stream.frames("send");
    assert.deepEqual([send?.logEpoch, send?.baseSeq, send?.attempt], [2n, 3n, 1]);
  });

  it("goes in calls of 200 threads, a second apart", async () => {
    for (let n = 1; n <= 449; n++) {
      const thread = { ...wireRow(1), threadId: other(n) };
      const value = { threadId: other(n), thread, head: head(1) };
      world.transport.stream.hear({ case: "threadChanged", value });
      world.transport.stream.hear({ case: "entry", value: wireEntry(1, { threadId: other(n) }) });
    }
    await settled();
    await restart();
    await jitter();
    while (asked().length < 3) await world.passAnswered(1_000);
    assert.deepEqual(
      asked().map(({ held }) => held.length),
      [200, 200, 50],
    );
  });
});
