import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import { groupTopic } from "../base/publication.ts";
import { MessageServers } from "../testing/fakes/message/message-servers.ts";
import { quiet } from "../testing/worlds/interleaving.ts";

const typingOf = (userId: string, threadId: Uint8Array) => ({ userId, threadId, originSession: "" });

describe("Several message servers", () => {
  describe("over one direct thread, after a block that was answered a second ago", () => {
    /** Both servers have a view of the thread from before the block, which goes through "a". */
    async function blocked() {
      const world = new MessageServers();
      const threadId = await world.direct(3);
      await world.send("b", { userId: "bob", threadId, baseSeq: 3 });
      await world.send("a", { threadId, baseSeq: 4 });
      await world.pass(2_000);
      await world.block("a");
      world.takePublications();
      await world.pass(1_001);
      return { world, threadId };
    }

    it("tell nobody of typing", async () => {
      const { world, threadId } = await blocked();
      for (const name of ["a", "b"]) {
        await world.server(name).typing(typingOf("bob", threadId));
        assert.deepEqual(world.takePublications("typing"), [], name);
      }
    });

    it("tell of positions the user's own devices alone", async () => {
      const { world, threadId } = await blocked();
      await world.raise("b", threadId, "bob", 5, 5);
      await world.pass(1_100);
      assert.deepEqual(world.takeReceipts(), ["bob 5 5 → user/bob"]);
    });

    it("list the viewer's positions alone", async () => {
      const { world, threadId } = await blocked();
      await world.raise("b", threadId, "bob", 5, 5);
      await world.raise("b", threadId, "ann", 5, 5);
      await world.pass(1_100);
      for (const name of ["a", "b"]) {
        assert.deepEqual(await world.listedUsers(name, "ann", threadId), ["ann"], name);
      }
    });

    it("do not say whether the recipient of a send that is repeated is there", async () => {
      const world = new MessageServers();
      const threadId = await world.direct(1);
      const sent = { userId: "ann", threadId, clientId: new Uint8Array(16).fill(7), baseSeq: 1 };
      const first = await world.send("b", sent);
      assert.ok(!(first instanceof HeddleError));
      assert.equal(first.recipientOffline, false);
      await world.block("a");
      await world.pass(1_001);
      const again = await world.send("b", { ...sent, attempt: 2 });
      assert.ok(!(again instanceof HeddleError), String(again));
      assert.deepEqual([again.duplicate, again.recipientOffline], [true, undefined]);
    });

    it("tell of typing again a second after the block was lifted", async () => {
      const { world, threadId } = await blocked();
      await world.server("b").typing(typingOf("bob", threadId));
      await world.block("a", false);
      await world.pass(1_001);
      world.takePublications();
      await world.server("b").typing(typingOf("bob", threadId));
      assert.equal(world.takePublications("typing").length, 1);
    });
  });

  describe("over one group, after a removal that was answered a second ago", () => {
    async function removed() {
      const world = new MessageServers();
      const threadId = await world.group();
      await world.send("b", { userId: "bob", threadId, baseSeq: 1 });
      await world.send("b", { userId: "cid", threadId, baseSeq: 2 });
      await world.pass(2_000);
      await world.change("a", threadId, "ann", { kind: "remove", userIds: ["bob"] });
      await world.send("a", { threadId, baseSeq: 4 });
      world.takePublications();
      await world.pass(1_001);
      return { world, threadId, topic: groupTopic(hex(threadId)) };
    }

    it("tell nobody that the ex-member writes, and that others do with the group's mark of now", async () => {
      const { world, threadId } = await removed();
      await world.server("b").typing(typingOf("bob", threadId));
      assert.deepEqual(world.takePublications("typing"), []);
      await world.server("b").typing(typingOf("cid", threadId));
      const marks = world.takePublications("typing").map(({ group }) => group?.membersSeq);
      assert.deepEqual(marks, [4]);
    });

    it("tell of its positions its own devices alone, and of no entry that came later", async () => {
      const { world, threadId, topic } = await removed();
      await world.raise("b", threadId, "bob", 3, 3);
      await world.raise("b", threadId, "cid", 3, 3);
      await world.pass(1_100);
      assert.deepEqual(world.takeReceipts().sort(), ["bob 3 3 → user/bob", `cid 3 3 → ${topic}`]);
    });

    it("show it the log up to its leaving, its positions, and nobody else's", async () => {
      const { world, threadId } = await removed();
      await world.raise("b", threadId, "cid", 5, 5);
      await world.raise("a", threadId, "bob", 3, 3);
      await world.pass(1_100);
      for (const name of ["a", "b"]) {
        assert.equal(await world.pageHead(name, "bob", threadId), 4n, name);
        const { head, readSeq, unread } = (await world.head(name, "bob", threadId)) ?? assert.fail();
        assert.deepEqual([head?.seq, readSeq, unread], [4n, 3n, 0], name);
        assert.deepEqual(await world.listedUsers(name, "bob", threadId), ["bob"], name);
        const refusal = await world.send(name, { userId: "bob", threadId, baseSeq: 4 });
        assert.ok(refusal instanceof HeddleError);
        assert.equal(refusal.reason, ErrorReason.THREAD_NOT_FOUND);
      }
    });
  });

  it("judge changes of a group by the members and roles that the other one made", async () => {
    const world = new MessageServers();
    const threadId = await world.group();
    await world.send("b", { userId: "bob", threadId, baseSeq: 1 });
    await assert.rejects(
      world.change("b", threadId, "bob", { kind: "remove", userIds: ["cid"] }),
      HeddleError,
    );
    await world.change("a", threadId, "ann", { kind: "role", userId: "bob", role: "owner" });
    await world.change("b", threadId, "bob", { kind: "remove", userIds: ["cid"] });
    await world.change("a", threadId, "bob", { kind: "add", userIds: ["dan"] });
    await world.change("b", threadId, "dan", { kind: "rename", name: "warp" });
    for (const name of ["a", "b"]) {
      const { joined } = await world.server(name).membership(threadId, ["ann", "bob", "cid", "dan"]);
      assert.deepEqual([...joined.keys()], ["ann", "bob", "dan"], name);
      assert.ok(!((await world.send(name, { userId: "dan", threadId })) instanceof HeddleError), name);
    }
  });

  it("give a sender one budget for refusals together: an equal share each", async () => {
    const world = new MessageServers();
    const threadId = await world.group();
    await world.change("a", threadId, "ann", { kind: "remove", userIds: ["bob"] });
    for (const name of ["a", "b"]) {
      const reasons = new Map<ErrorReason, number>();
      for (let sent = 0; sent < 60; sent++) {
        const refusal = await world.send(name, { userId: "bob", threadId });
        assert.ok(refusal instanceof HeddleError);
        reasons.set(refusal.reason, (reasons.get(refusal.reason) ?? 0) + 1);
      }
      const { THREAD_NOT_FOUND, OVERLOADED } = ErrorReason;
      assert.deepEqual([reasons.get(THREAD_NOT_FOUND), reasons.get(OVERLOADED)], [50, 10], name);
    }
  });

  it("say never to one who never was a member only when no other can be trying the send any more", async () => {
    const world = new MessageServers();
    const threadId = await world.group();
    const clientId = new Uint8Array(16).fill(9);
    const seal = () => world.seal("b", "eve", threadId, clientId);
    const unknown = { reason: ErrorReason.STORE_UNAVAILABLE };
    // "a" is slow to look whether eve is a member; meanwhile she is added.
    const looks = world.holdViews("a");
    const sent = world.send("a", { userId: "eve", threadId, clientId });
    await assert.rejects(seal(), unknown);
    await world.change("b", threadId, "ann", { kind: "add", userIds: ["eve"] });
    looks.release();
    assert.ok(!((await sent) instanceof HeddleError));
    assert.equal(await seal(), "committed");

    const other = new Uint8Array(16).fill(8);
    const sealOther = () => world.seal("b", "dan", threadId, other);
    await assert.rejects(sealOther(), unknown);
    world.clock.advance(24_999);
    await assert.rejects(sealOther(), unknown);
    world.clock.advance(1);
    assert.equal(await sealOther(), "never");
  });

  it("make a direct thread once that both are asked for at the same time", async () => {
    const world = new MessageServers();
    const sends = [
      world.send("a", { userId: "ann", toUserId: "bob" }),
      world.send("b", { userId: "bob", toUserId: "ann" }),
    ];
    const accepted = (await Promise.all(sends)).map((outcome) => {
      assert.ok(!(outcome instanceof HeddleError), String(outcome));
      return outcome;
    });
    assert.deepEqual(accepted.map(({ seq }) => seq).sort(), [1, 2]);
    assert.equal(hex(accepted[0]?.threadId ?? assert.fail()), hex(accepted[1]?.threadId ?? assert.fail()));
    for (const user of ["ann", "bob"])
      assert.equal((await world.rows.get(user, [accepted[0]?.threadId ?? assert.fail()])).length, 1);
  });

  describe("take positions", () => {
    it("that never go back, whichever server is told", async () => {
      const world = new MessageServers();
      const threadId = await world.direct(20);
      await world.raise("b", threadId, "bob", 5, 5);
      await world.pass(1_100);
      await world.raise("a", threadId, "bob", 15, 15);
      await world.pass(1_100);
      await world.raise("b", threadId, "bob", 18, 0);
      await world.pass(1_100);
      assert.deepEqual(
        world.takeReceipts().map((told) => told.split(" → ")[0]),
        ["bob 5 5", "bob 15 15", "bob 18 15"],
      );
    });

    for (const passedMs of [100, 1_200]) {
      it(`with what is unread above them, right through either, ${passedMs} ms after the last message`, async () => {
        const world = new MessageServers();
        const threadId = await world.direct(3);
        const send = (name: string, userId: string, baseSeq: number) =>
          world.send(name, { userId, threadId, baseSeq });
        await world.raise("b", threadId, "bob", 2, 2);
        await send("b", "bob", 3); // 4: above what bob has read, by what b knows …
        for (let seq = 5; seq <= 8; seq++) await send("a", "ann", seq - 1);
        await world.pass(1_100);
        await world.raise("a", threadId, "bob", 6, 6); // … and not any more.
        await world.pass(1_100);
        await send("b", "bob", 8); // 9: b counts two.
        await quiet();
        await world.pass(passedMs);
        // As the thread service asks, with a row that knows nothing, and no log to read.
        const query = { threadId, head: { seq: 9, ordinal: 9 }, row: { readSeq: 0, readOrdinal: 0 } };
        for (const name of ["a", "b"]) {
          const said = (await world.server(name).unread("bob", [query])).get(hex(threadId));
          assert.deepEqual([said?.readSeq, said?.unread], [6, 2], name);
        }
        for (const name of ["a", "b"]) {
          const head = await world.head(name, "bob", threadId);
          assert.deepEqual([head?.readSeq, head?.unread], [6n, 2], name);
        }
      });
    }

    it("and copy none into a row over a higher one", async () => {
      const world = new MessageServers();
      const threadId = await world.direct(20);
      await world.raise("b", threadId, "bob", 5, 5);
      await world.raise("a", threadId, "bob", 15, 15);
      await world.pass(1_100);
      await world.raise("b", threadId, "bob", 9, 9);
      await world.pass(1_100);
      for (const name of ["a", "b"]) {
        await world.server(name).flushReceipts("bob");
        assert.equal((await world.rows.get("bob", [threadId]))[0]?.readSeq, 15, name);
      }
    });
  });

  describe("and a thread that moves", () => {
    const entries = (world: MessageServers) => world.takePublications("entry").map(({ seq }) => seq);

    it("publish each entry once: one that loses it forgets the end of its log", async () => {
      const world = new MessageServers();
      let sent = 0;
      for (const name of ["a", "b", "a", "b"]) {
        await quiet();
        world.ring.set([name]);
        for (let more = 0; more < 5; more++) await world.send(name, { baseSeq: sent++ });
      }
      assert.deepEqual(
        entries(world),
        Array.from({ length: 20 }, (_, at) => at + 1),
      );
    });

    it("keep it while they do not know who serves", async () => {
      const world = new MessageServers();
      await world.direct(3);
      world.ring.set([], "not_loaded");
      world.store.gets.length = 0;
      await world.send("a", { baseSeq: 3 });
      assert.equal(world.store.gets.length, 0);
    });

    it("are asked all the same: one that it does not belong to publishes what it appends, and no more", async () => {
      const world = new MessageServers();
      world.ring.set(["a"]);
      await world.direct(5);
      entries(world);
      for (const baseSeq of [5, 6, 7]) await world.send("b", { baseSeq });
      assert.deepEqual(entries(world), [6, 7, 8]);
    });

    it("write the positions that wait, and take them up where they are", async () => {
      const world = new MessageServers();
      world.ring.set(["a"]);
      const threadId = await world.direct(9);
      await world.raise("a", threadId, "bob", 4, 4);
      await world.pass(100);
      await world.raise("a", threadId, "bob", 7, 6);
      world.ring.set(["b"]);
      await world.pass(0);
      await world.raise("b", threadId, "bob", 8, 0);
      await world.pass(1_100);
      assert.deepEqual(
        world.takeReceipts().map((told) => told.split(" → ")[0]),
        ["bob 4 4", "bob 7 6", "bob 8 6"],
      );
    });
  });
});
