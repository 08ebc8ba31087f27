import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Target } from "../../contract/bad-input-target.ts";
import { AskedHeddle, connect, Reader, write } from "./slow-readers.ts";

const STOPPED = 20;
const READING = 5;
const MESSAGES = 10_000;
/** 400 messages of 4 KB for each: twice what may be added for one that does not read. */
const TEXT_BYTES = 4_000;
const EACH = MESSAGES / (STOPPED + READING);

/** Bounds of docs/design.md: section 4 for what is queued, promise 10 for the rest. */
const QUEUED_BYTES = 256 * 1024;
const MEMORY_PER_STOPPED_BYTES = 768 * 1024;
const LATER_MS = 1_000;

describe("Readers that stop reading (docs/design.md, promise 10)", function () {
  this.timeout(240_000);

  it(`cost a bounded number of bytes, and the others nothing: ${STOPPED} of ${STOPPED + READING}, ${MESSAGES} messages`, async () => {
    const all = await run(0);
    const some = await run(STOPPED);
    const perStopped = (some.memory - all.memory) / STOPPED;
    const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`;
    console.log(
      `      queued at most ${kib(some.queuedMax)}; ${kib(perStopped)} of memory per stopped reader; ` +
        `the others waited at most ${some.latestMs} ms (${all.latestMs} ms with all reading)`,
    );
    assert.ok(some.queuedMax > QUEUED_BYTES / 4, "nothing was ever queued: the readers did not stop");
    assert.ok(perStopped <= MEMORY_PER_STOPPED_BYTES, `a stopped reader costs ${kib(perStopped)}`);
    // On a busy machine entries are late even if all read: only what the stopped readers add counts.
    assert.ok(some.latestMs <= all.latestMs + LATER_MS, `a reader got an entry ${some.latestMs} ms late`);
  });
});

/** 10,000 messages to 25 readers, of which `stopped` do not read meanwhile. */
async function run(stopped: number): Promise<{ memory: number; queuedMax: number; latestMs: number }> {
  const dataDir = await mkdtemp(join(tmpdir(), "heddle-slow-readers-"));
  const heddle = new AskedHeddle(dataDir);
  const target = await Target.open(await heddle.ask("ready"), dataDir);
  try {
    const readers: Reader[] = [];
    for (let at = 0; at < STOPPED + READING; at++) {
      const userId = `reader-${at}`;
      readers.push(new Reader(userId, await connect(target, userId)));
    }
    const writer = await connect(target, "writer");
    for (const reader of readers.slice(0, stopped)) reader.stop();
    await write(writer, readers, MESSAGES, TEXT_BYTES);
    const others = readers.slice(stopped);
    for (const reader of others) await reader.stream.next("entry", ({ seq }) => Number(seq) === EACH);
    const memory = await heddle.ask("memory");
    const queuedMax = await heddle.ask("queuedMax");
    assert.ok(queuedMax <= QUEUED_BYTES, `${queuedMax} bytes were queued for one client`);
    for (const reader of others) assert.equal(reader.held.size, EACH, `${reader.userId} misses entries`);

    for (const reader of readers.slice(0, stopped)) {
      assert.ok(reader.held.size < EACH, `${reader.userId} never stopped`);
      reader.goOn();
      await reader.told(EACH);
      await reader.pull(target, "writer", EACH);
      assert.equal(reader.held.size, EACH, `${reader.userId} misses entries after its return`);
    }
    for (const { stream } of [...readers, { stream: writer }]) stream.close();
    return { memory, queuedMax, latestMs: Math.max(...others.map(({ latestMs }) => latestMs)) };
  } finally {
    target.close();
    await heddle.stop();
    await rm(dataDir, { recursive: true });
  }
}
