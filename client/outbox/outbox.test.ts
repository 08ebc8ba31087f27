import assert from "node:assert/strict";
import fc from "fast-check";
import { type Fate, OutboxWorld, THREADS } from "../../internal/testing/worlds/client/outbox-world.ts";

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lives until nothing is waiting, through every fate. */
async function run(world: OutboxWorld, texts: readonly { thread: number; text: string }[]): Promise<void> {
  let next = 0;
  for (let step = 0; step < 400; step++) {
    if (world.isCrashed) await world.restart();
    if (!world.life.isConnected) world.life.connect();
    const compose = texts[next];
    if (compose) {
      next += 1;
      const threadId = THREADS[compose.thread] as string;
      const attempt = world.life.pump.canTry(threadId) ? 1 : 0;
      const record = await world.life.outbox.compose(threadId, { threadId }, compose.text, attempt);
      world.life.pump.begin(record);
    }
    await settle();
    world.life.clock.advance(1_000);
    if (step % 5 === 4)
      for (const send of world.mesh.late.splice(0))
        try {
          world.mesh.commit(send);
        } catch {}
    await settle();
    if (!compose && world.life.outbox.items().every((item) => item.state === "failed") && !world.isCrashed)
      return;
  }
  assert.fail(`still waiting: ${JSON.stringify(world.life.outbox.items())}`);
}

const fates = fc.array(
  fc.constantFrom<Fate>(
    "answered",
    "answer lost",
    "lost",
    "late",
    "unavailable, not committed",
    "unavailable, committed",
    "invalid",
    "base too old",
    "silence",
    "crash",
    "restart",
    "put back by 1",
    "put back by 3",
    "put back before",
  ),
  { maxLength: 25 },
);
const sends = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 8 });

describe("Outbox", function () {
  this.timeout(20_000);
  it("puts every message into the log exactly once and in order, or says that it failed, through every fate", async () => {
    await fc.assert(
      fc.asyncProperty(fates, sends, async (ways, threads) => {
        const world = new OutboxWorld(ways);
        const texts = threads.map((thread, at) => ({ thread, text: `message ${at}` }));
        await run(world, texts);
        for (const send of world.mesh.late.splice(0))
          try {
            world.mesh.commit(send);
          } catch {}
        const failed = new Set(world.life.outbox.items().map(({ text }) => text));
        for (const [index, id] of THREADS.entries()) {
          const expected = texts.filter(
            ({ thread, text }) => thread === index && !failed.has(text) && !world.lost.has(text),
          );
          const found = world.mesh.of(id).filter(({ text }) => text !== "");
          assert.deepEqual(
            found.map(({ text }) => text),
            expected.map(({ text }) => text),
          );
        }
        const isRefused = ways.includes("invalid") || ways.filter((way) => way === "base too old").length > 1;
        if (!isRefused) assert.equal(failed.size, 0, "nothing fails that was not refused");
        const kept = [...(await world.storage.load()).keys()].filter((key) => key.startsWith("outbox/"));
        assert.equal(kept.length, failed.size, "what is sent is no longer kept");
      }),
      { numRuns: 500 },
    );
  });
});
