import assert from "node:assert/strict";
import { ErrorReason, HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { GroupParts } from "../../testing/fakes/message/group-parts.ts";
import { clientIdOf } from "../../testing/fakes/message/message-samples.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import type { ThreadLog } from "./thread-log.ts";
import type { Committed, Verdict } from "./verdict.ts";

/** Ways to be refused, each again and again under a new client_id. */
const REFUSED: readonly (readonly [string, (parts: GroupParts, n: number) => Promise<unknown>])[] = [
  ["an ex-member's send", async (parts, n) => parts.append(await parts.openGroup("cid"), from("cid", n))],
  [
    "a base_seq above the head",
    async (parts, n) => parts.append(await parts.openGroup("bob"), { ...from("bob", n), baseSeq: 1_000_000 }),
  ],
  [
    "a change that is refused",
    (parts, n) => parts.ask("bob", n, { kind: "remove", userIds: ["ann"] }).catch((error) => error),
  ],
  ["a change that changes nothing", (parts, n) => parts.ask("bob", n, { kind: "add", userIds: ["ann"] })],
];

describe("A refusal", () => {
  for (const [name, ask] of REFUSED) {
    it(`of ${name}, in a loop, costs one read of the head each, and the others none`, async () => {
      const { parts, log } = await made();
      parts.store.gets.length = 0;
      for (let n = 0; n < 20; n++) {
        await ask(parts, 10_000 + n);
        accepted(await parts.append(log, { ...from("ann", n), baseSeq: log.cache.found?.head.seq ?? 0 }));
      }
      assert.equal(parts.store.gets.length, 20);
      // Another server of the store may answer from the past, and that would refuse a member.
      assert.ok(parts.store.gets.every(({ query }) => query.isProved));
    });

    it(`of ${name} holds nobody up while the head is read`, async () => {
      const { parts, log } = await made();
      const answer = Promise.withResolvers<void>();
      parts.store.onGet = async (read) => {
        await answer.promise;
        return read();
      };
      let isRefused = false;
      const refusing = ask(parts, 10_000).then(() => {
        isRefused = true;
      });
      await quiet();
      let isAccepted = false;
      const sending = parts.append(log, { ...from("ann", 1), baseSeq: 3 }).then((verdict) => {
        accepted(verdict);
        isAccepted = true;
      });
      await quiet();
      const seen = { isAccepted, isRefused };
      answer.resolve();
      await Promise.all([refusing, sending]);
      assert.deepEqual(seen, { isAccepted: true, isRefused: false });
    });
  }

  it("of a blocked user, in a loop, costs the other's sends no read", async () => {
    const parts = new GroupParts({}, 512);
    const log = await parts.open();
    parts.threads.memory.setBlock("bob", "ann", true);
    await parts.appender.raiseEpoch(log);
    accepted(await parts.append(log, { ...from("ann", 1), kind: "void" }));
    parts.store.gets.length = 0;
    for (let n = 0; n < 20; n++) {
      assert.equal(refused(await parts.append(log, from("ann", 100 + n))).reason, ErrorReason.BLOCKED);
      accepted(await parts.append(log, { ...from("bob", n), kind: "void", searchedSeq: n + 1 }));
    }
    assert.equal(parts.store.gets.length, 20);
  });

  it("refuses with one read all that its sender has waiting, and keeps their order", async () => {
    const { parts } = await made();
    const log = await parts.openGroup("cid");
    parts.store.gets.length = 0;
    const sends = Array.from({ length: 50 }, (_, n) => parts.append(log, from("cid", n)));
    for (const verdict of await Promise.all(sends))
      assert.equal(refused(verdict).reason, ErrorReason.THREAD_NOT_FOUND);
    assert.ok(parts.store.gets.length <= 2, `${parts.store.gets.length} reads`);
  });

  it("does not come before what its sender sent later, where another server let the sender in", async () => {
    const { parts } = await made();
    const other = new GroupParts({ store: parts.store, threads: parts.threads, channel: parts.channel });
    const log = await parts.openGroup("cid");
    await other.ask("ann", 50, { kind: "add", userIds: ["cid"] });
    const answer = Promise.withResolvers<void>();
    parts.store.onGet = async (read) => {
      await answer.promise;
      return read();
    };
    const first = parts.append(log, from("cid", 1));
    await quiet();
    const second = parts.append(log, from("cid", 2));
    answer.resolve();
    const [a, b] = await Promise.all([first, second]);
    assert.deepEqual([accepted(a).seq, accepted(b).seq], [5, 6]);
  });

  it("whose head cannot be read is unknown, and what waits behind it is judged", async () => {
    const { parts, log } = await made();
    const gone = await parts.openGroup("cid");
    parts.store.onGet = async () => {
      parts.store.onGet = undefined;
      throw storeUnavailable("message");
    };
    const verdict = refused(await parts.append(gone, from("cid", 1)));
    assert.deepEqual([verdict.reason, verdict.committedNever], [ErrorReason.STORE_UNAVAILABLE, false]);
    assert.equal(refused(await parts.append(gone, from("cid", 2))).reason, ErrorReason.THREAD_NOT_FOUND);
    accepted(await parts.append(log, from("ann", 3)));
    assert.equal(parts.appender.queuedBytes, 0);
  });

  it("is paid for by its sender: beyond 100 at once, and 20 a second, it costs no read", async () => {
    const { parts, log } = await made();
    const gone = await parts.openGroup("cid");
    const loop = async (from: number, to: number) => {
      const reasons: ErrorReason[] = [];
      for (let n = from; n < to; n++)
        reasons.push(refused(await parts.append(gone, { userId: "cid", clientId: clientIdOf(n) })).reason);
      return reasons;
    };
    assert.ok((await loop(0, 100)).every((reason) => reason === ErrorReason.THREAD_NOT_FOUND));
    parts.store.gets.length = 0;
    assert.deepEqual(new Set(await loop(100, 200)), new Set([ErrorReason.OVERLOADED]));
    assert.equal(parts.store.gets.length, 0);
    accepted(await parts.append(log, from("ann", 1_000)));
    parts.clock.advance(1_000);
    const later = await loop(200, 221);
    assert.equal(later.filter((reason) => reason === ErrorReason.THREAD_NOT_FOUND).length, 20);
    assert.equal(parts.appender.queuedBytes, 0);
  });
});

function from(userId: string, n: number) {
  return { userId, clientId: clientIdOf(n + 1), attempt: 1 };
}

/** A group of ann's with bob in it, which cid has left: seq 3 is the head, and it is known. */
async function made(): Promise<{ readonly parts: GroupParts; readonly log: ThreadLog }> {
  const parts = new GroupParts({}, 512);
  await parts.create();
  await parts.ask("cid", 9_998, { kind: "leave" });
  const log = await parts.openGroup();
  accepted(await parts.append(log, { clientId: clientIdOf(9_999) }));
  return { parts, log };
}

function accepted(verdict: Verdict): Committed {
  if (verdict instanceof Error) throw verdict;
  return verdict;
}

function refused(verdict: Verdict): HeddleError {
  assert.ok(verdict instanceof HeddleError);
  return verdict;
}
