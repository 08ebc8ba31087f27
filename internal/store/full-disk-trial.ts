import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { decodeHead, EMPTY_HEAD, encodeHead } from "../base/head.ts";
import { HeddleError } from "../base/heddle-error.ts";
import { directThreadId } from "../base/thread-id.ts";
import { LevelMessageStore } from "./level/level-message-store.ts";
import { SqliteThreadStore } from "./sqlite/sqlite-thread-store.ts";

/**
 * Run by full-disk.test.ts on a small file system of its own: fills the disk under both stores, frees it, and prints
 * what they did as one line of JSON.
 */

const [folder = ""] = process.argv.slice(2);
const filler = join(folder, "filler");
const row = { threadId: new Uint8Array(16).fill(7), bucket: 0 };
const tag = new Uint8Array(8);
const entryBytes = new Uint8Array(4096).fill(1);
const users = ["ann", "bob"] as const;
const thread = directThreadId(...users);

const events: string[] = [];
let noteRecovery = () => {};
const watch = (store: string) => ({
  failed: () => events.push(`${store} failed`),
  recovered() {
    events.push(`${store} recovered`);
    noteRecovery();
  },
});
const openMessages = () =>
  LevelMessageStore.open({ path: join(folder, "messages"), clock: systemClock, watch: watch("message") });
const openThreads = () =>
  new SqliteThreadStore({ path: join(folder, "threads"), clock: systemClock, watch: watch("thread") });

let messages = await openMessages();
let threads = openThreads();
await threads.createDirect(thread, users);

/** Appends one entry at the head that the store holds. */
async function append(): Promise<number> {
  const { head: bytes } = await messages.get(row, { head: true });
  const head = bytes ? decodeHead(bytes) : EMPTY_HEAD;
  const seq = head.seq + 1;
  const put = { seq, tag, value: entryBytes };
  const done = await messages.checkAndPut(row, bytes, encodeHead({ ...head, seq }), [put]);
  if (!done) throw new Error(`somebody else wrote seq ${seq}`);
  return seq;
}

function touch(): Promise<void> {
  return threads.touch([{ threadId: thread, ownerIds: users, headBucket: 0 }]);
}

/** Repeats a write until it is rejected; how often it was not, and the reason. */
async function untilRejected(write: () => Promise<unknown>): Promise<{ done: number; reason: string }> {
  for (let done = 0; done < 5_000; done++) {
    try {
      await write();
    } catch (error) {
      return { done, reason: error instanceof HeddleError ? error.reasonName : String(error) };
    }
  }
  return { done: 5_000, reason: "none" };
}

function fillDisk(): void {
  const file = openSync(filler, "w");
  try {
    for (let bytes = 1 << 20; bytes >= 512; bytes /= 2) {
      try {
        for (;;) writeSync(file, new Uint8Array(bytes));
      } catch {
        // No room for this many: fill what is left with less.
      }
    }
  } finally {
    closeSync(file);
  }
}

/** The log as it stands: highest seq by the head, entries, and whether they are 1 … n. */
async function readLog() {
  const read = await messages.get(row, { head: true, entries: { fromSeq: 1, toSeq: 1e6, keysOnly: true } });
  const whole = read.entries.every((entry, at) => entry.seq === at + 1);
  return { head: read.head ? decodeHead(read.head).seq : 0, entries: read.entries.length, whole };
}

const versionOf = async () => (await threads.sync("ann", undefined, 0, 1)).version;

let acknowledged = 0;
for (let at = 0; at < 100; at++) acknowledged = await append();
fillDisk();
const appends = await untilRejected(append);
acknowledged += appends.done;
const touches = await untilRejected(touch);
const acknowledgedVersion = await versionOf();
const full = {
  appends: appends.reason,
  touches: touches.reason,
  ready: [messages.ready(), threads.ready()],
  log: await readLog(),
  rows: (await threads.get("ann", [thread])).length,
};

const recovered = new Promise<void>((resolve) => {
  noteRecovery = () => {
    if (messages.ready() && threads.ready()) resolve();
  };
});
const freedAt = performance.now();
rmSync(filler);
const alive = setInterval(() => {}, 1_000); // The stores' own timers keep no process alive.
await recovered;
clearInterval(alive);
const recoveredInMs = performance.now() - freedAt;
const after = { ready: [messages.ready(), threads.ready()], log: await readLog(), next: await append() };
await touch();

await messages.close();
await threads.close();
messages = await openMessages();
threads = openThreads();
const reopened = { log: await readLog(), version: await versionOf() };
await messages.close();
await threads.close();
console.log(
  JSON.stringify({ acknowledged, acknowledgedVersion, full, recoveredInMs, after, reopened, events }),
);
