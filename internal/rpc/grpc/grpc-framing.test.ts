import assert from "node:assert/strict";
import fc from "fast-check";
import { framed, MessageSplitter } from "./grpc-framing.ts";

const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });

/** The stream's bytes in chunks of these sizes, over and over; the rest at the end. */
function chunks(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

const hexOf = (all: readonly Uint8Array[]) => all.map((bytes) => Buffer.from(bytes).toString("hex"));

describe("Messages of a gRPC stream", () => {
  it("come out as they went in, however the stream was cut and held", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(messages, sizes, fc.array(fc.boolean()), (sent, cuts, holds) => {
        const got: Uint8Array[] = [];
        let isHeld = false;
        const splitter = new MessageSplitter(
          -1,
          (bytes) => {
            assert.equal(isHeld, false, "a message came while it was held");
            got.push(bytes);
            if (!holds[got.length]) return;
            isHeld = true;
            splitter.hold();
          },
          assert.fail,
        );
        const release = () => {
          do isHeld = false;
          while (!splitter.release());
        };
        for (const chunk of chunks(Buffer.concat(sent.map(framed)), cuts)) {
          splitter.push(chunk);
          if (isHeld && holds[got.length + 1]) release();
        }
        release();
        assert.deepEqual(hexOf(got), hexOf(sent));
      }),
    );
  });

  it("may be released while one is being handed on", () => {
    const got: number[] = [];
    const splitter = new MessageSplitter(
      -1,
      (bytes) => {
        got.push(bytes.length);
        splitter.hold();
        assert.equal(splitter.release(), true);
      },
      assert.fail,
    );
    splitter.push(Buffer.concat([1, 2, 3].map((length) => framed(new Uint8Array(length)))));
    assert.deepEqual(got, [1, 2, 3]);
  });

  it("are taken up to the bound, and nothing after one beyond it", () => {
    const got: number[] = [];
    let tooLarge = 0;
    const splitter = new MessageSplitter(
      10,
      (bytes) => got.push(bytes.length),
      () => tooLarge++,
    );
    splitter.push(framed(new Uint8Array(10)));
    splitter.push(framed(new Uint8Array(11)).subarray(0, 5));
    splitter.push(framed(new Uint8Array(3)));
    splitter.release();
    assert.deepEqual([got, tooLarge], [[10], 1]);
  });

  it("cost no more to join than their bytes, however small the chunks", () => {
    const got: number[] = [];
    const splitter = new MessageSplitter(-1, (bytes) => got.push(bytes.length), assert.fail);
    const concat = Buffer.concat;
    let joined = 0;
    Buffer.concat = (list, total) => {
      const bytes = concat(list, total);
      joined += bytes.length;
      return bytes;
    };
    try {
      for (const chunk of chunks(framed(new Uint8Array(60_000)), [1])) splitter.push(chunk);
    } finally {
      Buffer.concat = concat;
    }
    assert.deepEqual(got, [60_000]);
    assert.ok(joined < 70_000, `${joined} bytes were copied`);
  });
});
