import assert from "node:assert/strict";
import { ErrorReason, HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { GroupParts } from "../../testing/fakes/message/group-parts.ts";
import { clientIdOf, headAt, storeLog } from "../../testing/fakes/message/message-samples.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { findHead } from "./head-finder.ts";

const SIZE = 4;

describe("Raising the epoch (docs/design.md, section 5)", () => {
  for (const [where, seq, bucket] of [
    ["in a row that is not full", 3, 0],
    ["after a full row, in the next one, which it opens", 4, 1],
    ["in a thread without entries, whose row it opens", 0, 0],
  ] as const) {
    it(`is done ${where}`, async () => {
      const { parts, raise, head } = await threadOf(seq);
      await raise();
      await raise();
      const raised = { ...headAt(seq), epoch: 2 };
      assert.deepEqual(await head(bucket), raised);
      if (bucket > 0) assert.deepEqual(await head(bucket - 1), headAt(seq), "a full row never changes again");
      for (const hint of [0, 1, 9])
        assert.deepEqual((await findHead(parts.logStore, parts.threadId, hint)).head, raised);
      const verdict = await parts.append(await parts.open(), { clientId: clientIdOf(1) });
      assert.ok(!(verdict instanceof Error) && verdict.seq === seq + 1);
      assert.deepEqual(await head(bucket), { ...headAt(seq + 1), epoch: 2 });
    });
  }

  it("makes an append fail that was judged before it, elsewhere", async () => {
    const { parts, raise } = await threadOf(4);
    const other = new GroupParts({ store: parts.store, threads: parts.threads }, SIZE);
    const log = await other.open();
    await other.append(log, { clientId: clientIdOf(1) });
    parts.threads.memory.setBlock("bob", "ann", true);
    await raise();
    const verdict = await other.append(log, { clientId: clientIdOf(2) });
    assert.ok(verdict instanceof HeddleError && verdict.reason === ErrorReason.BLOCKED);
  });

  it("is done again, at a head read afresh, where it is unclear whether it was", async () => {
    const { parts, raise, head } = await threadOf(2);
    let tries = 0;
    parts.store.onAppend = async (apply) => {
      tries += 1;
      if (tries === 1) return apply().then(() => Promise.reject(storeUnavailable("message")));
      if (tries === 2) return false;
      return apply();
    };
    parts.store.gets.length = 0;
    await raise();
    assert.equal(tries, 3);
    assert.equal((await head(0))?.epoch, 2);
    assert.equal(parts.store.gets.filter(({ query }) => query.head).length, 3);
  });

  it("gives up, without a word on the outcome, where the store is away", async () => {
    const { parts, raise } = await threadOf(2);
    parts.store.onAppend = () => Promise.reject(storeUnavailable("message"));
    await assert.rejects(raise(), unavailable);
    parts.store.onAppend = () => new Promise(() => {});
    const raising = assert.rejects(raise(), unavailable);
    for (let time = 0; time < 60; time++) {
      await quiet();
      parts.clock.advance(250);
    }
    await raising;
  });

  it("waits its turn among this server's own appends, and serves all who wait at once", async () => {
    const { parts, raise, head } = await threadOf(0);
    const log = await parts.open();
    const release = Promise.withResolvers<void>();
    parts.store.onAppend = async (apply) => {
      await release.promise;
      return apply();
    };
    const first = parts.append(log, { clientId: clientIdOf(1) });
    await quiet();
    const raises = [raise(), raise()];
    await quiet();
    release.resolve();
    await Promise.all([first, ...raises]);
    assert.deepEqual(await head(0), { ...headAt(1), epoch: 1 });
    assert.deepEqual(parts.trace, ["touch ann bob", "append 1", "publish entry 1", "append "]);
  });
});

async function threadOf(seq: number) {
  const parts = new GroupParts({}, SIZE);
  if (seq > 0) await storeLog(parts.store.inner, parts.threadId, SIZE, seq);
  return {
    parts,
    raise: () => parts.appender.raiseEpoch(parts.logs.bare(parts.threadId)),
    head: (bucket: number) => parts.storedHead(bucket, parts.threadId),
  };
}

function unavailable(error: unknown): boolean {
  return error instanceof HeddleError && error.reason === ErrorReason.STORE_UNAVAILABLE;
}
