import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { MAX_SEQ } from "../base/ids.ts";
import {
  ENTRY_QUALIFIER_BYTES,
  ROW_KEY_BYTES,
  readEntryQualifier,
  readUint64,
  rowKey,
  writeEntryQualifier,
  writeUint64,
} from "./keys.ts";
import { RECEIPTS_BUCKET } from "./message-store.ts";

const threadId = fc.uint8Array({ minLength: 16, maxLength: 16 });
const seq = fc.maxSafeNat();

describe("keys of the message log", () => {
  it("put two bytes of SHA-256, the thread id and the bucket into a row key", () => {
    const id = Uint8Array.from({ length: 16 }, (_, at) => 255 - at);
    const key = rowKey({ threadId: id, bucket: 0x01020304 });
    const prefix = createHash("sha256").update(id).digest().subarray(0, 2);
    assert.deepEqual(Buffer.from(key), Buffer.concat([prefix, id, Buffer.from([1, 2, 3, 4])]));
    assert.equal(key.length, ROW_KEY_BYTES);
  });

  it("sort the rows of a thread by bucket, receipts last", () => {
    fc.assert(
      fc.property(threadId, fc.nat(0xfffffffe), fc.nat(0xfffffffe), (id, a, b) => {
        const compare = (x: number, y: number) =>
          Buffer.compare(rowKey({ threadId: id, bucket: x }), rowKey({ threadId: id, bucket: y }));
        assert.equal(compare(a, b), Math.sign(a - b));
        assert.equal(compare(a, RECEIPTS_BUCKET), -1);
      }),
    );
  });

  it("sort entries by seq and give seq and tag back", () => {
    const tag = fc.uint8Array({ minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(seq, seq, tag, tag, (a, b, tagA, tagB) => {
        const [one, two] = [
          new Uint8Array(3 + ENTRY_QUALIFIER_BYTES),
          new Uint8Array(3 + ENTRY_QUALIFIER_BYTES),
        ];
        writeEntryQualifier(one, 3, a, tagA);
        writeEntryQualifier(two, 3, b, tagB);
        if (a !== b) assert.equal(Buffer.compare(one, two), Math.sign(a - b));
        assert.deepEqual(readEntryQualifier(one, 3), { seq: a, tag: tagA });
      }),
    );
  });

  it("hold every number up to 2^53 − 1 in 8 bytes", () => {
    for (const value of [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, MAX_SEQ]) {
      const bytes = new Uint8Array(8);
      writeUint64(bytes, 0, value);
      assert.equal(readUint64(bytes, 0), value);
      assert.equal(Number(Buffer.from(bytes).readBigUInt64BE()), value);
    }
  });
});
