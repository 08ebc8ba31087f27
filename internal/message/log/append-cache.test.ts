import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeHead } from "../../base/head.ts";
import { HookedStore } from "../../testing/fakes/message/message-ports.ts";
import { headAt, logStoreOf } from "../../testing/fakes/message/message-samples.ts";
import { tagKey } from "../cells/send-tag.ts";
import { AppendCache, KeyCache } from "./append-cache.ts";
import { headAppended } from "./head-finder.ts";

describe("AppendCache", () => {
  it("checks the next append in a row that is not full against the head it wrote", () => {
    const cache = cacheAt(2);
    cache.advance(appended(3), [keyOf(3, 3)]);
    assert.deepEqual(cache.found, { head: headAt(3), bucket: 0, stored: encodeHead(headAt(3)) });
  });

  it("checks the next append after a full row against an absent head in the next", () => {
    const cache = cacheAt(2);
    cache.advance(appended(4), [keyOf(3, 3), keyOf(4, 4)]);
    assert.deepEqual(cache.found, { head: headAt(4), bucket: 1, stored: undefined });
    assert.equal(cache.hint, 1);
  });

  it("keeps the hint when it forgets the head", () => {
    const cache = cacheAt(9);
    cache.drop();
    assert.equal(cache.found, undefined);
    assert.equal(cache.hint, 2);
  });

  it("begins its keys anew above a head that was read", () => {
    const cache = cacheAt(2);
    cache.advance(appended(3), [keyOf(3, 3)]);
    assert.deepEqual(cache.keys.seqsOfTag(tagKey(keyOf(3, 3).tag)), [3]);
    cache.loadHead({ head: headAt(5), bucket: 1, stored: encodeHead(headAt(5)) });
    assert.deepEqual(cache.keys.seqsOfTag(tagKey(keyOf(3, 3).tag)), []);
    assert.equal(cache.keys.from, 5);
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
          assert.deepEqual([...keys.seqsOfTag(tagKey(keyOf(0, tag).tag))], kept);
        }
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it("stays bounded", () => {
    const keys = new KeyCache();
    for (let seq = 1; seq <= 5_000; seq++) keys.add(keyOf(seq, seq));
    assert.ok(5_000 - keys.from <= 512);
    assert.deepEqual(keys.seqsOfTag(tagKey(keyOf(1, 1).tag)), []);
  });
});

/** A cache in which the head of `seq` messages, in rows of 4, was read. */
function cacheAt(seq: number): AppendCache {
  const cache = new AppendCache();
  cache.loadHead({ head: headAt(seq), bucket: Math.floor(seq / 4), stored: encodeHead(headAt(seq)) });
  return cache;
}

function appended(seq: number) {
  return headAppended(logStoreOf(new HookedStore(), 4), headAt(seq), encodeHead(headAt(seq)));
}

function keyOf(seq: number, tag: number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, tag);
  return { seq, tag: bytes, value: new Uint8Array(0) };
}
