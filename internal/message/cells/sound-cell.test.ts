import assert from "node:assert/strict";
import { clientIdOf, storedCell, textBody } from "../../testing/fakes/message/message-samples.ts";
import { encodeCell } from "../../wire/entry-bytes.ts";
import { encodeBody, voidBody } from "./entry-cell.ts";
import { sendTag } from "./send-tag.ts";
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

  it("is sound as a void that names no one, by the start of its hash, and as no other entry without a sender", () => {
    const [clientId, nobody] = [clientIdOf(1), { sender: "", clientId: new Uint8Array(0), baseSeq: 0 }];
    const common = { ...nobody, ordinal: 0, createdAtMs: 7 };
    const value = encodeCell({ ...common, body: voidBody("ann", clientId) });
    assert.ok(isSound({ tag: sendTag("ann", clientId), value }));
    assert.ok(!isSound({ tag: sendTag("bob", clientId), value }));
    const { hash } = voidBody("ann", clientId);
    const text = encodeCell({ ...common, body: { ...encodeBody(textBody("hi")), hash } });
    assert.ok(!isSound({ tag: sendTag("ann", clientId), value: text }));
  });
});
