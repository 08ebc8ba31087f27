import assert from "node:assert/strict";
import fc from "fast-check";
import { MemoryMessageStore } from "../../testing/fakes/stores/memory-message-store.ts";
import { RECEIPTS_BUCKET } from "../ports.ts";
import { positionsOf, receiptCells } from "./receipt-cell.ts";

const user = fc.stringMatching(/^[a-z0-9._-]{1,64}$/);
const position = fc.record({
  deliveredSeq: fc.maxSafeNat(),
  readSeq: fc.maxSafeNat(),
  readOrdinal: fc.nat(),
});

describe("Receipt cells (docs/design.md, section 5, family r)", () => {
  it("say positions and their users, nothing for a position that is 0", () => {
    fc.assert(
      fc.property(fc.dictionary(user, position), (users) => {
        const cells = Object.entries(users).flatMap(([userId, its]) => receiptCells(userId, its));
        const expected = new Map<string, unknown>();
        for (const [userId, { deliveredSeq, readSeq, readOrdinal }] of Object.entries(users)) {
          if (deliveredSeq === 0 && readSeq === 0) continue;
          expected.set(userId, { deliveredSeq, readSeq, readOrdinal: readSeq > 0 ? readOrdinal : 0 });
        }
        assert.deepEqual(positionsOf(cells), expected);
      }),
    );
  });

  it("are the highest of all that were written, in whatever order", async () => {
    const written = fc.array(fc.record({ deliveredSeq: fc.nat(20), readSeq: fc.nat(20) }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(written, async (all) => {
        const store = new MemoryMessageStore();
        const row = { threadId: new Uint8Array(16), bucket: RECEIPTS_BUCKET };
        for (const its of all) {
          await store.put(row, "r", receiptCells("ann", { ...its, readOrdinal: its.readSeq * 2 }));
        }
        const stored = positionsOf((await store.get(row, { family: "r" })).cells).get("ann");
        const readSeq = Math.max(...all.map((its) => its.readSeq));
        const deliveredSeq = Math.max(...all.map((its) => its.deliveredSeq));
        if (readSeq + deliveredSeq === 0) assert.equal(stored, undefined);
        else assert.deepEqual(stored, { deliveredSeq, readSeq, readOrdinal: readSeq * 2 });
      }),
      { numRuns: 50 },
    );
  });
});
