import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeHead } from "../../base/head.ts";
import { headAt } from "../../testing/fakes/message-samples.ts";
import { PendingSends } from "./pending-sends.ts";
import { KeyCache, ThreadLog, tagKey } from "./thread-log.ts";

describe("ThreadLog, the append cache of a thread", () => {
  it("checks the next append in a row that is not full against the head it wrote", () => {
    const log = logAt(2);
    log.advance(headAt(3), encodeHead(headAt(3)), [keyOf(3, 3)], 4);
    assert.deepEqual(log.found, { head: headAt(3), bucket: 0, stored: encodeHead(headAt(3)) });
  });

  it("checks the next append after a full row against an absent head in the next", () => {
    const log = logAt(2);
    log.advance(headAt(4), encodeHead(headAt(4)), [keyOf(3, 3), keyOf(4, 4)], 4);
    assert.deepEqual(log.found, { head: headAt(4), bucket: 1, stored: undefined });
    assert.equal(log.hint, 1);
  });

  it("keeps the hint when it forgets the head", () => {
    const log = logAt(9);
    log.drop();
    assert.equal(log.found, undefined);
    assert.equal(log.hint, 2);
  });

  it("begins its keys anew above a head that was read", () => {
    const log = logAt(2);
    log.advance(headAt(3), encodeHead(headAt(3)), [keyOf(3, 3)], 4);
    assert.deepEqual(log.keys.find(tagKey(keyOf(3, 3).tag)), [3]);
    log.load({ head: headAt(5), bucket: 1, stored: encodeHead(headAt(5)) });
    assert.deepEqual(log.keys.find(tagKey(keyOf(3, 3).tag)), []);
    assert.equal(log.keys.from, 5);
  });
});

describe("KeyCache", () => {
  it("holds every key above `from`, and at least the newest 256", () => {
    const tags = fc.array(fc.nat(40), { minLength: 1, maxLength: 2_000, size: "max" });
    fc.assert(
      fc.property(tags, fc.nat(50), (all, start) => {
        const keys = new KeyCache();
        keys.restart(start);
        for (const [at, tag] of all.entries()) keys.add(keyOf(start + 1 + at, tag));
        const to = start + all.length;
        assert.ok(keys.from === start || to - keys.from >= 256, `${to - keys.from} keys`);
        for (let tag = 0; tag <= 40; tag++) {
          const seqs = all.flatMap((other, at) => (other === tag ? [start + 1 + at] : []));
          const kept = seqs.filter((seq) => seq > keys.from);
          assert.deepEqual([...keys.find(tagKey(keyOf(0, tag).tag))], kept);
        }
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it("stays bounded", () => {
    const keys = new KeyCache();
    for (let seq = 1; seq <= 5_000; seq++) keys.add(keyOf(seq, seq));
    assert.ok(5_000 - keys.from <= 512);
    assert.deepEqual(keys.find(tagKey(keyOf(1, 1).tag)), []);
  });
});

function logAt(seq: number): ThreadLog {
  const log = new ThreadLog(new Uint8Array(16), new PendingSends());
  log.load({ head: headAt(seq), bucket: Math.floor(seq / 4), stored: encodeHead(headAt(seq)) });
  return log;
}

function keyOf(seq: number, tag: number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, tag);
  return { seq, tag: bytes, value: new Uint8Array(0) };
}
