import assert from "node:assert/strict";
import fc from "fast-check";
import { framed, MessageSplitter } from "./grpc-framing.ts";

describe("MessageSplitter", () => {
  it("finds the same messages however they were cut into chunks", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    const cuts = fc.array(fc.nat(2_500), { maxLength: 10 });
    fc.assert(
      fc.property(messages, cuts, (sent, at) => {
        const bytes = Buffer.concat(sent.map(framed));
        const found: Buffer[] = [];
        const splitter = new MessageSplitter((message) => found.push(Buffer.from(message)));
        const ends = [...new Set(at.filter((end) => end < bytes.length))].sort((a, b) => a - b);
        for (const [index, end] of [...ends, bytes.length].entries())
          splitter.push(bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
        assert.deepEqual(
          found.map((message) => [...message]),
          sent.map((message) => [...message]),
        );
      }),
    );
  });
});
