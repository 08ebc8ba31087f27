import assert from "node:assert/strict";
import type { Roster } from "../../base/group.ts";
import { encodeHead } from "../../base/head.ts";
import { heldBytesOf } from "../../testing/fakes/heap.ts";
import { directView, MemoryThreads } from "../../testing/fakes/message/message-ports.ts";
import { headAt } from "../../testing/fakes/message/message-samples.ts";
import type { ThreadLog } from "./thread-log.ts";
import { ThreadLogs } from "./thread-logs.ts";

const LOGS = 1_000;

/** What is remembered of a thread, from little to much. */
const SHAPES: readonly (readonly [string, boolean, (log: ThreadLog, n: number) => void])[] = [
  ["direct threads that were opened", false, () => {}],
  ["direct threads in which 500 messages were sent", false, fill],
  ["groups of 20", true, (log, n) => join(log, n, 20, 12)],
  [
    "groups of 300 with long ids, in which 500 messages were sent",
    true,
    (log, n) => {
      join(log, n, 300, 200);
      fill(log);
    },
  ],
];

describe("The memory of logs", function () {
  this.timeout(60_000);

  for (const [name, isGroup, remember] of SHAPES) {
    it(`is counted as the heap says, or a little more, for ${name}`, async () => {
      await remembered(isGroup, 50, remember); // What is compiled, and made once, is no part of it.
      const { bytes, held: logs } = await heldBytesOf(() => remembered(isGroup, LOGS, remember));
      console.log(`      ${Math.round(bytes / LOGS)} bytes a log, counted ${Math.round(logs.bytes / LOGS)}`);
      assert.ok(bytes <= logs.bytes, `${bytes} bytes of heap, ${logs.bytes} counted`);
      assert.ok(logs.bytes <= 2.5 * bytes, `${bytes} bytes of heap, ${logs.bytes} counted`);
    });
  }

  it("holds on to no socket buffer by an id", async () => {
    const { bytes, held } = await heldBytesOf(async () => {
      const logs = new ThreadLogs(new MemoryThreads());
      for (let n = 0; n < LOGS; n++)
        logs.bare(new Uint8Array(new ArrayBuffer(1 << 16), 16 * (n % 16), 16).fill(n));
      return logs;
    });
    assert.ok(bytes < LOGS * 8_000, `${Math.round(bytes / LOGS)} bytes a log`);
    assert.ok(held.size > 0);
  });
});

async function remembered(
  isGroup: boolean,
  count: number,
  remember: (log: ThreadLog, n: number) => void,
): Promise<ThreadLogs> {
  const threads = new MemoryThreads();
  const logs = new ThreadLogs(threads);
  for (let n = 0; n < count; n++) {
    const [me, other] = [userOf(n, 0, 36), userOf(n, 1, 36)];
    const view = directView(me, other);
    threads.view = async () => (isGroup ? { ...view, participants: [] } : view);
    const threadId = new Uint8Array(16);
    new DataView(threadId.buffer).setUint32(0, n + 1);
    threadId[15] = isGroup ? 0 : 1;
    remember(await logs.open(threadId, me), n);
  }
  return logs;
}

/** A user_id of its own, as it comes from a store: in memory that nothing else shares. */
function userOf(n: number, place: number, length: number): string {
  return Buffer.from(`u${n}-${place}`.padEnd(length, ".")).toString("latin1");
}

function join(log: ThreadLog, n: number, count: number, idLength: number): void {
  const users = Array.from({ length: count }, (_, place) => userOf(n, place, idLength));
  const members = new Map(users.map((userId) => [userId, { userId, role: "member" as const, joinedSeq: 1 }]));
  const roster: Roster = { appliedSeq: 1, name: `group ${n}`, isLarge: false, members };
  log.membership.takeRoster(roster, 0);
}

/** 500 messages were sent, everybody was touched and has written. */
function fill(log: ThreadLog): void {
  for (const member of log.membership.audience.touched) {
    log.touches.confirm(member, Date.now());
    log.membership.writers.addWriter(member, 1);
  }
  log.cache.loadHead({ head: headAt(7), bucket: 0, stored: encodeHead(headAt(7)) });
  const cells = Array.from({ length: 500 }, (_, at) => {
    const tag = new Uint8Array(8);
    new DataView(tag.buffer).setUint32(0, 2_654_435_761 * at);
    return { seq: 8 + at, tag, value: tag };
  });
  log.cache.advance({ head: headAt(507), bucket: 0, stored: encodeHead(headAt(507)) }, cells);
}
