import assert from "node:assert/strict";
import { crc32c, maskCrc } from "./crc32c.ts";
import { BLOCK_BYTES, readRecords } from "./record-file.ts";

const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

/** Records of these lengths as LevelDB writes them. Their bytes are never zero. */
function fileOf(...lengths: readonly number[]): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  const add = (piece: Buffer) => {
    pieces.push(piece);
    at += piece.length;
  };
  lengths.forEach((length, nth) => {
    let rest = Buffer.alloc(length, 1 + (nth % 250));
    let isFirst = true;
    do {
      const left = BLOCK_BYTES - (at % BLOCK_BYTES);
      if (left < 7) {
        add(Buffer.alloc(left));
        continue;
      }
      const payload = rest.subarray(0, left - 7);
      rest = rest.subarray(payload.length);
      const isLast = rest.length === 0;
      add(fragment(isFirst ? (isLast ? FULL : FIRST) : isLast ? LAST : MIDDLE, payload));
      isFirst = false;
    } while (isFirst || rest.length > 0);
  });
  return Buffer.concat(pieces);
}

function fragment(type: number, payload: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(6), Buffer.of(type), payload]);
  bytes.writeUInt32LE(maskCrc(crc32c(bytes.subarray(6))), 0);
  bytes.writeUInt16LE(payload.length, 4);
  return bytes;
}

const LENGTHS = [100, 3000, 40_000, 1, 70_000, 200];
const kindOf = (file: Uint8Array) => readRecords(file).end.kind;

describe("A file of records", () => {
  const file = fileOf(...LENGTHS);
  const lastAt = file.length - 207;

  it("gives back what was written, over blocks", () => {
    const { records, end } = readRecords(file);
    assert.deepEqual(
      records.map(({ bytes }) => bytes.length),
      LENGTHS,
    );
    assert.ok(records.every(({ bytes }, nth) => bytes.every((byte) => byte === nth + 1)));
    assert.equal(end.kind, "whole");
    assert.equal(kindOf(new Uint8Array(0)), "whole");
  });

  it("is torn where it stops, at whatever byte, and keeps the records before", () => {
    const ends = readRecords(file).records.map(({ offset }) => offset);
    for (const from of [0, 3100, BLOCK_BYTES - 20, lastAt]) {
      for (let length = from; length < Math.min(from + 220, file.length); length++) {
        const { records, end } = readRecords(file.subarray(0, length));
        const kept = ends.filter((_, nth) => (ends[nth + 1] ?? file.length) <= length).length;
        assert.equal(records.length, kept, `cut at ${length}`);
        assert.equal(end.kind, ends.includes(length) ? "whole" : "torn", `cut at ${length}`);
      }
    }
  });

  it("is torn where it ends in zeros that a disk never came to write", () => {
    for (const cut of [lastAt, lastAt + 3, lastAt + 7, lastAt + 150]) {
      const zeros = Buffer.concat([file.subarray(0, cut), Buffer.alloc(2 * BLOCK_BYTES)]);
      const { records, end } = readRecords(zeros);
      assert.deepEqual([records.length, end.kind], [5, "torn"], `cut at ${cut}`);
    }
    const whole = Buffer.concat([file, Buffer.alloc(2 * BLOCK_BYTES)]);
    assert.equal(readRecords(whole).records.length, LENGTHS.length);
  });

  it("is torn where a sector within the last write is missing though later ones are there", () => {
    const copy = fileOf(100, 70_000);
    copy.fill(0, 20 * 512, 21 * 512);
    const { records, end } = readRecords(copy);
    assert.deepEqual([records.length, end.kind], [1, "torn"]);
  });

  it("is damaged by any other bit, in a header or a payload, in the last record too", () => {
    const headers = readRecords(file).records.flatMap(({ offset }) =>
      [0, 1, 2, 3, 4, 5, 6].map((at) => offset + at),
    );
    const payloads = [50, 1000, 39_000, BLOCK_BYTES + 3, 2 * BLOCK_BYTES + 5, file.length - 1];
    for (const at of [...headers, ...payloads]) {
      for (let bit = 0; bit < 8; bit++) {
        const copy = Buffer.from(file);
        copy[at] = (copy[at] ?? 0) ^ (1 << bit);
        assert.equal(kindOf(copy), "damaged", `byte ${at}, bit ${bit}`);
      }
    }
  });

  it("is damaged where zeros stand before good records", () => {
    const copy = Buffer.from(file);
    copy.fill(0, 107, BLOCK_BYTES);
    assert.equal(kindOf(copy), "damaged");
  });

  it("takes no text that looks like a record for one", () => {
    const text = fragment(FULL, Buffer.alloc(30, 9));
    const sent = fragment(FULL, Buffer.concat([Buffer.alloc(40, 5), text, Buffer.alloc(400, 5)]));
    assert.equal(kindOf(Buffer.concat([file, sent.subarray(0, 300)])), "torn");
  });
});
