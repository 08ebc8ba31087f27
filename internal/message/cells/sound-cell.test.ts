import assert from "node:assert/strict";
import { storedCell } from "../../testing/fakes/message-samples.ts";
import { isSound } from "./sound-cell.ts";

describe("A stored cell", () => {
  it("is sound as it was appended, and not with another bit in its sender, client_id, hash or text", () => {
    const { tag, value } = storedCell(3);
    assert.ok(isSound({ tag, value }));
    let unnoticed = 0;
    for (let at = 0; at < value.length; at++) {
      const copy = Buffer.from(value);
      copy[at] = (copy[at] ?? 0) ^ 1;
      if (isSound({ tag, value: copy })) unnoticed += 1;
    }
    // The values of two fields: ordinal and time.
    assert.equal(unnoticed, 2);
    assert.ok(!isSound({ tag: Buffer.from(tag).reverse(), value }));
    assert.ok(!isSound({ tag, value: value.subarray(0, -1) }));
    assert.ok(!isSound({ tag, value: new Uint8Array(0) }));
  });
});
