import assert from "node:assert/strict";
import { ErrorReason, HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { hex } from "../../base/ids.ts";
import { groupThreadId } from "../../base/thread-id.ts";
import { GroupParts } from "../../testing/fakes/message/group-parts.ts";
import { clientIdOf } from "../../testing/fakes/message/message-samples.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import type { Committed, Verdict } from "./verdict.ts";

describe("A group's first entry", () => {
  it("is projected, then published to the group's topic and everybody's inbox, then answered", async () => {
    const parts = new GroupParts();
    assert.deepEqual(await parts.create(), { seq: 1, removed: [] });
    assert.deepEqual(parts.trace, ["append 1", "project 1", "publish entry 1"]);
    const [{ topics, group } = assert.fail()] = parts.channel.publications;
    const topic = `thread/${hex(parts.groupId)}`;
    assert.deepEqual(topics, [topic, "user/ann", "user/bob", "user/cid"]);
    assert.deepEqual(group, { membersSeq: 0, change: { added: ["ann", "bob", "cid"], removed: [] } });
    assert.deepEqual(await parts.storedHead(), { seq: 1, ordinal: 0, membersSeq: 1, epoch: 0 });
  });

  it("is found again by a repeat, at any server, and by no other request", async () => {
    const parts = new GroupParts();
    await parts.create();
    assert.equal((await parts.create("weft", ["cid", "bob"])).seq, 1);
    const other = new GroupParts({ store: parts.store, threads: parts.threads });
    assert.equal((await other.create()).seq, 1);
    await assert.rejects(other.create("warp"), reason(ErrorReason.CLIENT_ID_REUSED));
  });

  it("that nobody projected is projected by the repeat", async () => {
    const parts = new GroupParts();
    parts.threads.onCall = () => Promise.reject(storeUnavailable("thread"));
    await assert.rejects(parts.create(), reason(ErrorReason.STORE_UNAVAILABLE));
    assert.deepEqual(parts.channel.publications, []);
    parts.threads.onCall = undefined;
    assert.equal((await parts.create()).seq, 1);
    assert.equal((await parts.threads.memory.roster(parts.groupId))?.appliedSeq, 1);
    assert.ok(parts.channel.publications.length > 0);
  });
});

describe("A change of a group", () => {
  it("is projected before it is published, and names the entry before it", async () => {
    const parts = await made();
    assert.deepEqual(await parts.ask("bob", 1, { kind: "add", userIds: ["dee"] }), { seq: 2, removed: [] });
    assert.deepEqual(parts.trace, ["append 2", "project 2", "publish entry 2"]);
    assert.deepEqual(parts.channel.publications[0]?.group, {
      membersSeq: 1,
      change: { added: ["dee"], removed: [] },
    });
    parts.trace.length = 0;
    accepted(await parts.append(await parts.openGroup(), {}));
    assert.deepEqual(
      parts.trace,
      ["append 3", "publish entry 3"],
      "projecting a join is a touch of the joiner",
    );
  });

  it("says who went, and a repeat says it again", async () => {
    const parts = await made();
    const removal = { kind: "remove", userIds: ["bob", "zed"] } as const;
    const expected = { seq: 2, removed: ["bob"] };
    assert.deepEqual(await parts.ask("ann", 1, removal), expected);
    assert.deepEqual(await parts.ask("ann", 1, removal), expected);
    const other = new GroupParts({ store: parts.store, threads: parts.threads });
    assert.deepEqual(await other.ask("ann", 1, removal), expected);
    await assert.rejects(other.ask("ann", 1, { kind: "leave" }), reason(ErrorReason.CLIENT_ID_REUSED));
  });

  it("that changes nothing makes no entry", async () => {
    const parts = await made();
    assert.deepEqual(await parts.ask("ann", 1, { kind: "add", userIds: ["bob"] }), { seq: 0, removed: [] });
    assert.deepEqual(await parts.ask("ann", 2, { kind: "rename", name: "weft" }), { seq: 0, removed: [] });
    assert.equal((await parts.storedHead())?.seq, 1);
  });

  it("is the last of its batch: what waits behind it is judged by what it makes", async () => {
    const parts = await made();
    const log = await parts.openGroup();
    const release = Promise.withResolvers<void>();
    parts.store.onAppend = async (apply) => {
      await release.promise;
      return apply();
    };
    const first = parts.append(log, { clientId: clientIdOf(1) });
    const removing = parts.ask("ann", 2, { kind: "remove", userIds: ["bob"] });
    await quiet();
    const late = parts.append(log, { userId: "bob", clientId: clientIdOf(3) });
    release.resolve();
    assert.equal(accepted(await first).seq, 2);
    assert.equal((await removing).seq, 3);
    assert.equal(refused(await late).reason, ErrorReason.THREAD_NOT_FOUND);
    assert.equal(refused(await late).committedNever, true);
  });

  it("is for groups", async () => {
    const parts = await made();
    const asked = { userId: "ann", requestId: clientIdOf(1), change: { kind: "leave" } as const };
    await assert.rejects(
      parts.changes.change({ ...asked, threadId: parts.threadId }),
      reason(ErrorReason.NOT_A_GROUP),
    );
    await assert.rejects(
      parts.changes.change({ ...asked, userId: "zed", threadId: parts.threadId }),
      reason(ErrorReason.THREAD_NOT_FOUND),
    );
  });

  it("that would put somebody into one large group too many is refused", async () => {
    const parts = await made();
    const many = Array.from({ length: 254 }, (_, at) => `u${at}`);
    parts.threads.memory.large.set("u7", 100);
    await assert.rejects(parts.ask("ann", 1, { kind: "add", userIds: many }), (error) => {
      assert.ok(reason(ErrorReason.TOO_MANY_LARGE_GROUPS)(error));
      assert.deepEqual((error as HeddleError).metadata, { user: "u7", limit: "100" });
      return true;
    });
    assert.equal(
      (await parts.ask("ann", 2, { kind: "add", userIds: many.filter((u) => u !== "u7") })).seq,
      2,
    );
  });

  it("that would give somebody a 65th span of membership is refused", async () => {
    const parts = await made();
    let n = 1;
    for (let span = 1; span < 64; span++) {
      await parts.ask("ann", ++n, { kind: "remove", userIds: ["bob"] });
      await parts.ask("ann", ++n, { kind: "add", userIds: ["bob"] });
    }
    await parts.ask("ann", ++n, { kind: "remove", userIds: ["bob"] });
    await assert.rejects(parts.ask("ann", ++n, { kind: "add", userIds: ["dee", "bob"] }), (error) => {
      assert.ok(reason(ErrorReason.TOO_MANY_SPANS)(error));
      assert.deepEqual((error as HeddleError).metadata, { user: "bob", limit: "64" });
      return true;
    });
    assert.ok((await parts.ask("ann", ++n, { kind: "add", userIds: ["dee"] })).seq > 0);
  });

  it("brings nobody in by one who has a block with them, in either direction", async () => {
    const parts = await made();
    const { memory } = parts.threads;
    memory.setBlock("ann", "dan", true);
    memory.setBlock("eve", "ann", true);
    const refuses = (asked: Promise<unknown>, metadata: object) =>
      assert.rejects(asked, (error) => {
        assert.ok(reason(ErrorReason.BLOCKED)(error));
        assert.deepEqual((error as HeddleError).metadata, metadata);
        return true;
      });
    await refuses(parts.ask("ann", 1, { kind: "add", userIds: ["fay", "dan"] }), { user: "dan", by: "self" });
    await refuses(parts.ask("ann", 2, { kind: "add", userIds: ["eve"] }), { user: "eve", by: "other" });
    const creation = { kind: "create", name: "warp", userIds: ["eve"] } as const;
    const threadId = groupThreadId("ann", clientIdOf(3));
    const created = parts.changes.change({
      threadId,
      userId: "ann",
      requestId: clientIdOf(3),
      change: creation,
    });
    await refuses(created, { user: "eve", by: "other" });
    assert.equal((await parts.storedHead())?.seq, 1);
  });

  it("and was made before a block is found again after it, though its first try was not projected", async () => {
    const parts = await made();
    const addition = { kind: "add", userIds: ["dan"] } as const;
    parts.threads.onCall = async (what) => {
      if (what === "project") throw storeUnavailable("thread");
    };
    await assert.rejects(parts.ask("ann", 1, addition), reason(ErrorReason.STORE_UNAVAILABLE));
    parts.threads.onCall = undefined;
    parts.threads.memory.setBlock("dan", "ann", true);
    assert.equal((await parts.ask("ann", 1, addition)).seq, 2);
  });

  it("made elsewhere is seen before anybody is refused, or let in, by what this server remembers", async () => {
    const parts = await made();
    const other = new GroupParts({ store: parts.store, threads: parts.threads, channel: parts.channel });
    await parts.append(await parts.openGroup(), { clientId: clientIdOf(1) });
    await other.ask("ann", 2, { kind: "add", userIds: ["dee"] });
    const log = await parts.openGroup("dee");
    assert.equal(accepted(await parts.append(log, { userId: "dee", clientId: clientIdOf(3) })).seq, 4);
    await other.ask("ann", 4, { kind: "remove", userIds: ["dee"] });
    const late = refused(await parts.append(log, { userId: "dee", clientId: clientIdOf(5) }));
    assert.equal(late.reason, ErrorReason.THREAD_NOT_FOUND);
  });

  it("that its server did not project is projected, and published, by the server that finds it", async () => {
    const parts = await made();
    const other = new GroupParts({ store: parts.store, threads: parts.threads, channel: parts.channel });
    await parts.append(await parts.openGroup(), { clientId: clientIdOf(1) });
    parts.threads.onCall = () => Promise.reject(storeUnavailable("thread"));
    const log = await other.openGroup("bob").catch(() => undefined);
    assert.equal(log, undefined);
    parts.threads.onCall = async (what) => {
      if (what === "project") throw storeUnavailable("thread");
    };
    await assert.rejects(other.ask("bob", 2, { kind: "add", userIds: ["dee"] }));
    await assert.rejects(other.ask("bob", 3, { kind: "rename", name: "warp" }));
    parts.threads.onCall = undefined;
    parts.channel.publications.length = 0;
    assert.equal(accepted(await parts.append(await parts.openGroup(), { clientId: clientIdOf(4) })).seq, 4);
    const roster = await parts.threads.memory.roster(parts.groupId);
    assert.deepEqual([roster?.appliedSeq, roster?.name, roster?.members.has("dee")], [3, "weft", true]);
  });
});

describe("A send to a group", () => {
  it("goes to its topic, with the seq of the last member entry", async () => {
    const parts = await made();
    await parts.append(await parts.openGroup(), { clientId: clientIdOf(1) });
    const [{ topics, group } = assert.fail()] = parts.channel.publications;
    assert.deepEqual(topics, [`thread/${hex(parts.groupId)}`]);
    assert.deepEqual(group, { membersSeq: 1 });
  });

  it("of one who has left is refused, unless it is in the log", async () => {
    const parts = await made();
    const log = await parts.openGroup("bob");
    const mine = { userId: "bob", clientId: clientIdOf(1) };
    const first = accepted(await parts.append(log, mine));
    await parts.ask("bob", 2, { kind: "leave" });
    const again = accepted(await parts.append(log, { ...mine, attempt: 2 }));
    assert.deepEqual([again.seq, again.duplicate], [first.seq, true]);
    const late = await parts.append(log, { ...mine, clientId: clientIdOf(3), attempt: 2 });
    assert.deepEqual(
      [refused(late).reason, refused(late).committedNever],
      [ErrorReason.THREAD_NOT_FOUND, false],
    );
    const sealed = accepted(await parts.append(log, { ...mine, kind: "void", clientId: clientIdOf(3) }));
    assert.equal(decodeCell(sealed.cell).body?.kind.case, "void");
  });

  it("to a large one touches nobody, and writes its activity once in 45 s", async () => {
    const parts = await made();
    const many = Array.from({ length: 254 }, (_, at) => `u${at}`);
    await parts.ask("ann", 1, { kind: "add", userIds: many });
    parts.clock.advance(46_000);
    const log = await parts.openGroup();
    parts.trace.length = 0;
    for (let n = 2; n < 5; n++) await parts.append(log, { clientId: clientIdOf(n) });
    assert.deepEqual(parts.trace, [
      ...["append 3", "publish entry 3", "activity", "append 4", "publish entry 4"],
      ...["append 5", "publish entry 5"],
    ]);
    parts.threads.onCall = () => new Promise(() => {});
    parts.clock.advance(45_000);
    assert.equal(accepted(await parts.append(log, { clientId: clientIdOf(6) })).seq, 6);
  });

  it("touches all members that a group had before it grew large", async () => {
    const parts = await made();
    const many = Array.from({ length: 254 }, (_, at) => `u${at}`);
    parts.clock.advance(44_000);
    parts.store.onAppend = async (apply) => {
      const won = await apply();
      parts.clock.advance(2_000);
      return won;
    };
    await parts.ask("ann", 1, { kind: "add", userIds: many });
    assert.deepEqual(parts.trace, [
      "append 2",
      "project 2",
      "touch ann bob cid",
      "publish entry 2",
      "activity",
    ]);
  });
});

describe("A send between two users where one has blocked the other", () => {
  it("is refused with who it is, for certain, once the epoch was raised", async () => {
    const parts = new GroupParts();
    const log = await parts.open();
    const first = accepted(await parts.append(log, { clientId: clientIdOf(1) }));
    parts.threads.memory.setBlock("ann", "bob", true);
    await parts.appender.raiseEpoch(log);
    const mine = refused(await parts.append(log, { clientId: clientIdOf(2) }));
    assert.deepEqual(mine.metadata, { user: "bob", by: "self", committed: "never" });
    const theirs = refused(await parts.append(log, { userId: "bob", clientId: clientIdOf(3), attempt: 2 }));
    assert.deepEqual(theirs.metadata, { user: "ann", by: "other" });
    const again = accepted(await parts.append(log, { clientId: clientIdOf(1), attempt: 2 }));
    assert.deepEqual([again.seq, again.duplicate], [first.seq, true]);
    accepted(await parts.append(log, { kind: "void", clientId: clientIdOf(2) }));
    parts.threads.memory.setBlock("ann", "bob", false);
    await parts.appender.raiseEpoch(log);
    accepted(await parts.append(log, { clientId: clientIdOf(4) }));
  });

  it("is looked for once while the thread is remembered, also where the epoch was never raised", async () => {
    const parts = new GroupParts();
    let looks = 0;
    parts.threads.onCall = async (what) => {
      if (what === "between") looks += 1;
    };
    const log = await parts.open();
    for (const n of [1, 2, 3]) accepted(await parts.append(log, { clientId: clientIdOf(n) }));
    assert.equal(looks, 1);
  });

  it("counts though the log's store was put back to a time before it", async () => {
    const parts = new GroupParts();
    parts.threads.memory.setBlock("bob", "ann", true);
    assert.equal(refused(await parts.append(await parts.open(), {})).reason, ErrorReason.BLOCKED);
  });

  it("fails where the blocks cannot be read", async () => {
    const parts = new GroupParts();
    const log = await parts.open();
    await parts.appender.raiseEpoch(log);
    log.membership.forgetBlocks(0);
    parts.threads.onCall = () => Promise.reject(storeUnavailable("thread"));
    assert.equal(refused(await parts.append(log, {})).reason, ErrorReason.STORE_UNAVAILABLE);
    await quiet();
  });
});

async function made(): Promise<GroupParts> {
  const parts = new GroupParts();
  await parts.create();
  parts.trace.length = 0;
  parts.channel.publications.length = 0;
  return parts;
}

function accepted(verdict: Verdict): Committed {
  if (verdict instanceof Error) throw verdict;
  return verdict;
}

function refused(verdict: Verdict): HeddleError {
  assert.ok(verdict instanceof HeddleError);
  return verdict;
}

function reason(expected: ErrorReason) {
  return (error: unknown) => error instanceof HeddleError && error.reason === expected;
}
