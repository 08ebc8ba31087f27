import assert from "node:assert/strict";
import { ownBytes } from "./own-bytes.ts";

describe("ownBytes", () => {
  it("copies what is a small part of its buffer, a Buffer's slice too, and nothing else", () => {
    const chunk = Buffer.alloc(65_536, 7);
    const own = ownBytes(chunk.subarray(100, 116));
    assert.deepEqual(own, new Uint8Array(16).fill(7));
    assert.equal(own.buffer.byteLength, 16);
    chunk.fill(8);
    assert.equal(own[0], 7);
    const whole = new Uint8Array(16);
    assert.equal(ownBytes(whole), whole);
    assert.equal(ownBytes(new Uint8Array(0)).length, 0);
  });
});
