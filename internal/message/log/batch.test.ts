import assert from "node:assert/strict";
import { EMPTY_HEAD } from "../../base/head.ts";
import { clientIdOf, headAt, pendingOf } from "../../testing/fakes/message/message-samples.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import { sendTag } from "../cells/send-tag.ts";
import { Batch } from "./batch.ts";

describe("Batch", () => {
  it("joins equal sends, whichever payload they carry", () => {
    const first = pendingOf({ text: "hi" });
    const again = pendingOf({ text: "hi", attempt: 2 });
    const other = pendingOf({ text: "ho", attempt: 3 });
    const { items } = batchOf(first, again, other);
    assert.deepEqual(
      items.map(({ send, joined }) => [send, joined]),
      [[first, [again, other]]],
    );
  });

  it("does not join what another user sent, or the same under another client_id, even of one tag", () => {
    const tag = sendTag("ann", clientIdOf(1));
    const { items } = batchOf(
      pendingOf(),
      pendingOf({ clientId: clientIdOf(2), tag }),
      pendingOf({ userId: "bob", tag }),
    );
    assert.equal(items.length, 3);
  });

  it("gives the places above the head in order, and counts messages alone", () => {
    const batch = batchOf(
      pendingOf({ clientId: clientIdOf(1), baseSeq: 3 }),
      pendingOf({ clientId: clientIdOf(2), kind: "void" }),
      pendingOf({ clientId: clientIdOf(3), userId: "bob", text: "last" }),
    );
    const { cells, next } = batch.build({ ...headAt(7), ordinal: 5, membersSeq: 2, epoch: 4 }, 1_234);
    assert.deepEqual(next, { seq: 10, ordinal: 7, membersSeq: 2, epoch: 4 });
    const told = cells.map(({ seq, tag, value }) => {
      const { sender, clientId, baseSeq, ordinal, createdAtMs, body } = decodeCell(value);
      const isVoid = body?.kind.case === "void";
      assert.deepEqual(tag, isVoid ? sendTag("ann", clientIdOf(2)) : sendTag(sender, clientId));
      assert.equal(createdAtMs, 1_234n);
      return [seq, sender, baseSeq, ordinal, body?.kind.case];
    });
    assert.deepEqual(told, [
      [8, "ann", 3n, 6n, "text"],
      [9, "", 0n, 6n, "void"],
      [10, "bob", 0n, 7n, "text"],
    ]);
  });

  it("takes one place for sends that joined", () => {
    const { cells, next } = batchOf(pendingOf(), pendingOf({ attempt: 2 })).build(EMPTY_HEAD, 1);
    assert.equal(cells.length, 1);
    assert.equal(next.seq, 1);
  });

  it("knows who still waits for an answer", () => {
    const [one, two] = [pendingOf(), pendingOf({ clientId: clientIdOf(2) })];
    const batch = new Batch(new Uint8Array(16));
    batch.taken = [one, two];
    batch.settled.add(one);
    assert.deepEqual(batch.unsettled(), [two]);
  });
});

function batchOf(...sends: ReturnType<typeof pendingOf>[]): Batch {
  const batch = new Batch(new Uint8Array(16));
  for (const send of sends) batch.add(send);
  return batch;
}
