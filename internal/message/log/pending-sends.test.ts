import assert from "node:assert/strict";
import fc from "fast-check";
import { pendingOf } from "../../testing/fakes/message/message-samples.ts";
import { bytesOf, type PendingSend, PendingSends } from "./pending-sends.ts";

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

describe("PendingSends", () => {
  it("takes one of each sender in turn, and each sender's in their order", () => {
    const pending = queueOf("ann 1", "ann 2", "ann 3", "bob 1", "cay 1", "cay 2");
    assert.deepEqual(names(pending.takeSends(4, NO_LIMIT)), ["ann 1", "bob 1", "cay 1", "ann 2"]);
    assert.deepEqual(names(pending.takeSends(4, NO_LIMIT)), ["cay 2", "ann 3"]);
  });

  it("lets a sender who comes late to a long queue of another wait for one send, not for all", () => {
    const pending = queueOf(...Array.from({ length: 100 }, (_, at) => `ann ${at}`));
    pending.pushSend(named("bob 1"));
    assert.deepEqual(names(pending.takeSends(2, NO_LIMIT)), ["ann 0", "bob 1"]);
  });

  it("takes what fits, at least one", () => {
    const pending = queueOf("ann 1", "ann 2", "ann 3");
    const one = bytesOf(named("ann 1"));
    assert.deepEqual(names(pending.takeSends(9, 2 * one)), ["ann 1", "ann 2"]);
    assert.deepEqual(names(pending.takeSends(9, 1)), ["ann 3"]);
    assert.deepEqual(pending.takeSends(9, 1), []);
  });

  it("puts back what was taken before all others of its sender, in order", () => {
    const pending = queueOf("ann 1", "bob 1", "ann 2", "ann 3");
    const taken = pending.takeSends(3, NO_LIMIT);
    assert.deepEqual(names(taken), ["ann 1", "bob 1", "ann 2"]);
    pending.pushSend(named("bob 2"));
    pending.putBack(taken);
    const all = pending.takeSends(9, NO_LIMIT);
    assert.deepEqual(names(all.filter(({ userId }) => userId === "ann")), ["ann 1", "ann 2", "ann 3"]);
    assert.deepEqual(names(all.filter(({ userId }) => userId === "bob")), ["bob 1", "bob 2"]);
  });

  it("takes out whose time is over, and no others", () => {
    const pending = new PendingSends();
    for (const [name, expiresAtMs] of [
      ["ann 1", 10],
      ["ann 2", 30],
      ["bob 1", 20],
    ] as const) {
      pending.pushSend(named(name, expiresAtMs));
    }
    assert.deepEqual(names(pending.takeExpired(9)), []);
    assert.deepEqual(names(pending.takeExpired(20)), ["ann 1", "bob 1"]);
    assert.deepEqual(names(pending.takeSends(9, NO_LIMIT)), ["ann 2"]);
    assert.deepEqual([pending.length, pending.bytes], [0, 0]);
  });

  it("keeps the sends of one who is set aside in order, with those that come later, before all of them put back", () => {
    const pending = queueOf("ann 1", "bob 1", "ann 2", "ann 3");
    const [first] = pending.takeSends(1, NO_LIMIT);
    assert.ok(first);
    assert.deepEqual(names(pending.hold("ann")), ["ann 2", "ann 3"]);
    pending.pushSend(named("ann 4"));
    pending.putBack([first]);
    assert.deepEqual(names(pending.takeSends(9, NO_LIMIT)), ["bob 1"]);
    assert.equal(pending.length, 0);
    pending.release("ann");
    assert.deepEqual(names(pending.takeSends(9, NO_LIMIT)), ["ann 1", "ann 2", "ann 3", "ann 4"]);
    assert.deepEqual([pending.length, pending.bytes], [0, 0]);
  });

  it("counts length and bytes through any use, loses nothing and doubles nothing", () => {
    const op = fc.oneof(
      fc.record({ what: fc.constant("push" as const), sender: fc.nat(2), text: fc.nat(2_000) }),
      fc.record({ what: fc.constant("take" as const), count: fc.nat(5), bytes: fc.nat(9_000) }),
      fc.record({ what: fc.constant("putBack" as const) }),
      fc.record({ what: fc.constant("expire" as const), atMs: fc.nat(30) }),
      fc.record({ what: fc.constant("hold" as const), sender: fc.nat(2) }),
      fc.record({ what: fc.constant("release" as const), sender: fc.nat(2) }),
    );
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60, size: "max" }), (ops) => {
        const pending = new PendingSends();
        const inside = new Set<PendingSend>();
        let taken: PendingSend[] = [];
        const held = new Set<string>();
        const out = (sends: readonly PendingSend[]) => {
          for (const send of sends) assert.ok(inside.delete(send), "came out twice");
        };
        for (const [at, next] of ops.entries()) {
          if (next.what === "push") {
            const sample = { userId: `u${next.sender}`, text: "a".repeat(next.text + 1), expiresAtMs: at };
            const send = pendingOf(sample);
            pending.pushSend(send);
            inside.add(send);
          } else if (next.what === "take") {
            taken = pending.takeSends(next.count, next.bytes);
            out(taken);
            assert.ok(taken.length <= next.count);
            assert.ok(taken.length <= 1 || sum(taken) <= next.bytes);
          } else if (next.what === "putBack") {
            pending.putBack(taken);
            for (const send of taken) inside.add(send);
            taken = [];
          } else if (next.what === "hold") {
            const userId = `u${next.sender}`;
            if (held.has(userId)) continue;
            held.add(userId);
            assert.deepEqual(new Set(pending.hold(userId)), new Set(ofSender(inside, userId)));
          } else if (next.what === "release") {
            held.delete(`u${next.sender}`);
            pending.release(`u${next.sender}`);
          } else {
            const expired = pending.takeExpired(next.atMs);
            out(expired);
            assert.ok(expired.every(({ expiresAtMs }) => expiresAtMs <= next.atMs));
          }
          const free = [...inside].filter(({ userId }) => !held.has(userId));
          assert.deepEqual([pending.length, pending.bytes], [free.length, sum([...inside])]);
        }
        for (const userId of held) pending.release(userId);
        out(pending.takeSends(NO_LIMIT, NO_LIMIT));
        assert.equal(inside.size, 0);
      }),
    );
  });
});

function ofSender(sends: Iterable<PendingSend>, userId: string): PendingSend[] {
  return [...sends].filter((send) => send.userId === userId);
}

function queueOf(...all: string[]): PendingSends {
  const pending = new PendingSends();
  for (const name of all) pending.pushSend(named(name));
  return pending;
}

/** "ann 1" is a send of ann's with that origin. */
function named(name: string, expiresAtMs = NO_LIMIT): PendingSend {
  return pendingOf({ userId: name.split(" ")[0] ?? "", originSession: name, expiresAtMs });
}

function names(sends: readonly PendingSend[]): string[] {
  return sends.map(({ originSession }) => originSession);
}

function sum(sends: readonly PendingSend[]): number {
  return sends.reduce((bytes, send) => bytes + bytesOf(send), 0);
}
