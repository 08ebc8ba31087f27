import assert from "node:assert/strict";
import type { Roster } from "../../base/group.ts";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { directView, MemoryThreads } from "../../testing/fakes/message/message-ports.ts";
import { ThreadLogs } from "./thread-logs.ts";

describe("ThreadLogs", () => {
  it("lets members in, and says NOT_FOUND to all others, remembered or not", async () => {
    const { logs, threads } = world();
    const threadId = threads.add("ann", "bob");
    await assert.rejects(logs.open(threadId, "cay"), notFound);
    const log = await logs.open(threadId, "ann");
    assert.deepEqual(log.membership.participants, ["ann", "bob"]);
    await assert.rejects(logs.open(threadId, "cay"), notFound);
    assert.equal(logs.known(log.threadId, "cay"), undefined);
    await assert.rejects(logs.open(new Uint8Array(16), "ann"), notFound);
  });

  it("asks the thread service once for a thread", async () => {
    const { logs, threads } = world();
    const threadId = threads.add("ann", "bob", 7);
    const log = await logs.open(threadId, "ann");
    threads.onCall = () => Promise.reject(new Error("asked again"));
    assert.equal(await logs.open(threadId, "bob"), log);
    assert.equal(logs.known(threadId, "ann"), log);
    assert.equal(log.cache.hint, 7);
  });

  it("has one log for all who open a thread at once", async () => {
    const { logs, threads } = world();
    const threadId = threads.add("ann", "bob");
    const [one, other] = await Promise.all([logs.open(threadId, "ann"), logs.open(threadId, "bob")]);
    assert.equal(one, other);
    assert.equal(logs.size, 1);
  });

  it("has the rows of a direct thread written before anybody may append to it", async () => {
    const { logs, threads } = world();
    const log = await logs.openDirect("bob", "ann");
    assert.deepEqual(log.threadId, directThreadId("ann", "bob"));
    assert.ok(threads.has(log.threadId));
    assert.deepEqual(log.membership.participants, ["ann", "bob"]);
    assert.equal(await logs.openDirect("ann", "bob"), log);
    assert.deepEqual(threads.trace, ["create bob ann"]);
  });

  it("remembers nothing of a direct thread whose rows could not be written", async () => {
    const { logs, threads } = world();
    threads.onCall = async (what) => {
      if (what === "createDirect") throw new Error("away");
    };
    await assert.rejects(logs.openDirect("ann", "bob"));
    assert.equal(logs.size, 0);
  });

  it("forgets the longest unused beyond its bound, but none that is busy", async () => {
    const view = directView("ann", "bob");
    const threads = Object.assign(new MemoryThreads(), { view: async () => view });
    const probe = new ThreadLogs(threads);
    await open(probe, 0);
    const logs = new ThreadLogs(threads, 10 * probe.bytes);
    const [busy, unused, used] = [await open(logs, 0), await open(logs, 1), await open(logs, 2)];
    busy.busy = true;
    for (let n = 3; n < 10; n++) await open(logs, n);
    assert.equal(await open(logs, 2), used);
    assert.equal(logs.size, 10);
    await open(logs, 10);
    assert.equal(logs.size, 10);
    assert.equal(logs.known(unused.threadId, "ann"), undefined);
    assert.equal(logs.known(busy.threadId, "ann"), busy);
    assert.equal(logs.known(used.threadId, "ann"), used);
  });
});

describe("ThreadLogs of groups", () => {
  it("forget the longest unused once all their rosters take too many bytes", async () => {
    const logs = new ThreadLogs(new MemoryThreads(), bytesOf(0, 0, 3, 3) - 1);
    const [first, second, third] = [groupLog(logs, 1), groupLog(logs, 2), groupLog(logs, 3)];
    first.membership.takeRoster(rosterOf(3), 0);
    second.membership.takeRoster(rosterOf(3), 0);
    assert.equal(groupLog(logs, 4) !== first && logs.size, 3);
    assert.equal(groupLog(logs, 2), second);
    first.membership.takeRoster({ ...rosterOf(90), appliedSeq: 2 }, 0);
    assert.equal(groupLog(logs, 3), third);
    groupLog(logs, 5);
    assert.equal(logs.size, 4, "who is forgotten counts no more");
  });

  it("take no more than they may, however many logs without a roster were there before", () => {
    const logs = new ThreadLogs(new MemoryThreads(), bytesOf(0, 300));
    for (let n = 0; n < 50; n++) groupLog(logs, n);
    for (let n = 50; n < 60; n++) groupLog(logs, n).membership.takeRoster(rosterOf(300), 0);
    const newest = groupLog(logs, 60);
    assert.equal(logs.size, 2, "the newest with a roster, and this one");
    assert.equal(groupLog(logs, 60), newest);
    assert.ok(logs.bytes <= bytesOf(0, 300));
  });

  it("that grew are forgotten at the next use of another, though no new one comes", () => {
    const logs = new ThreadLogs(new MemoryThreads(), bytesOf(300, 3));
    const [first, second] = [groupLog(logs, 1), groupLog(logs, 2)];
    first.membership.takeRoster(rosterOf(300), 0);
    second.membership.takeRoster(rosterOf(300), 0);
    second.membership.admit("ann", []);
    assert.equal(logs.known(second.threadId, "ann"), second);
    assert.equal(logs.size, 1);
  });

  it("keep what is used while rosters are what is forgotten for", async () => {
    const logs = new ThreadLogs(new MemoryThreads(), bytesOf(3, 3) + 300);
    const [used, unused] = [groupLog(logs, 1), groupLog(logs, 2)];
    for (const log of [used, unused]) {
      log.membership.takeRoster(rosterOf(3), 0);
      log.membership.admit("ann", []);
    }
    assert.equal(logs.known(used.threadId, "ann"), used);
    groupLog(logs, 3);
    assert.equal(logs.known(used.threadId, "ann"), used);
    assert.equal(logs.known(unused.threadId, "ann"), undefined);
  });

  it("let in who was let in before, and who is in the roster", async () => {
    const log = groupLog(new ThreadLogs(new MemoryThreads()), 1);
    assert.equal(log.membership.lets("u0"), false);
    log.membership.takeRoster(rosterOf(1), 0);
    log.membership.admit("gone", []);
    assert.deepEqual(
      [log.membership.lets("u0"), log.membership.lets("gone"), log.membership.lets("zed")],
      [true, true, false],
    );
  });
});

/** What logs of groups with so many members take. */
function bytesOf(...members: readonly number[]): number {
  const logs = new ThreadLogs(new MemoryThreads());
  for (const [at, count] of members.entries()) groupLog(logs, at).membership.takeRoster(rosterOf(count), 0);
  return logs.bytes;
}

function groupLog(logs: ThreadLogs, n: number) {
  const threadId = new Uint8Array(16);
  threadId[0] = n;
  return logs.bare(threadId);
}

function rosterOf(count: number): Roster {
  const users = Array.from({ length: count }, (_, at) => `u${at}`);
  const members = new Map(users.map((userId) => [userId, { userId, role: "member" as const, joinedSeq: 1 }]));
  return { appliedSeq: 1, name: "weft", isLarge: false, members };
}

function world() {
  const threads = new MemoryThreads();
  return { threads, logs: new ThreadLogs(threads) };
}

function open(logs: ThreadLogs, n: number) {
  const threadId = new Uint8Array(16);
  new DataView(threadId.buffer).setUint32(0, n);
  threadId[15] = 1; // As the ids of direct threads have it.
  return logs.open(threadId, "ann");
}

function notFound(error: unknown): boolean {
  return error instanceof HeddleError && error.reason === ErrorReason.THREAD_NOT_FOUND;
}
