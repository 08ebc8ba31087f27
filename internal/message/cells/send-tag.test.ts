import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { clientIdOf } from "../../testing/fakes/message/message-samples.ts";
import { sendTag } from "./send-tag.ts";

describe("The tag of a send", () => {
  it("is 8 bytes of SHA-256 over sender, a NUL and client_id", () => {
    const whole = Buffer.concat([Buffer.from("ann\0"), clientIdOf(1)]);
    const expected = createHash("sha256").update(whole).digest().subarray(0, 8);
    assert.deepEqual(Buffer.from(sendTag("ann", clientIdOf(1))), expected);
  });

  it("differs by sender and by client_id, wherever the one ends and the other begins", () => {
    // Bytes of client_id that look like letters must not slide over to the name before them.
    const letters = new TextEncoder().encode("nabcdefghijklmnop").subarray(0, 16);
    const shifted = new TextEncoder().encode("abcdefghijklmnop");
    const tags = [sendTag("an", letters), sendTag("ann", shifted), sendTag("ann", letters)];
    assert.equal(new Set(tags.map((tag) => Buffer.from(tag).toString("hex"))).size, 3);
  });
});
