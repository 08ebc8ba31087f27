import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { fromHex } from "../../internal/base/ids.ts";
import type { ListEntriesRequest } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import { MembershipSpanSchema, ThreadKind } from "../../internal/gen/heddle/thread/v1/thread_pb.js";
import {
  ClientWorld,
  head,
  settled,
  THREAD,
  wireEntry,
} from "../../internal/testing/worlds/client/client-world.ts";

const member = (userId: string) => ({ userId });

/** A row of the group, of which ann is a member. */
function rowHeard(seq: number, more: object) {
  const at = { membersSeq: BigInt(seq), head: { seq: BigInt(seq), ordinal: 0n } };
  const thread = { threadId: fromHex(THREAD), kind: ThreadKind.GROUP, name: "Weekend", ...at, ...more };
  return { case: "threadChanged", value: { threadId: fromHex(THREAD), thread } } as const;
}

/** A member entry of bob's. */
function change(seq: number, more: object) {
  const body = { kind: { case: "memberChange", value: { memberCount: 2, ...more } } };
  return { case: "entry", value: wireEntry(seq, { ordinal: 0n, body }) } as const;
}

describe("A group that one left and came back to while away", () => {
  it("is pulled span by span, without what lies between", async () => {
    const world = await new ClientWorld().live();
    const first = change(1, { name: "Weekend", added: [member("bob"), member("ann")] });
    world.transport.stream.hear(first, rowHeard(1, { joinedSeq: 1n, readSeq: 1n }));
    await settled();
    const pages = new Map([
      [1, [change(2, { added: [member("cleo")] }), change(3, { removed: ["ann"] })]],
      [39, [change(40, { added: [member("ann")] })]],
    ]);
    world.transport.answers.ListEntries = ({ position }: ListEntriesRequest) => ({
      entries: (pages.get(Number(position.value)) ?? []).map(({ value }) => value),
      head: head(40),
    });
    const spans = [
      { firstSeq: 1n, lastSeq: 3n },
      { firstSeq: 40n, lastSeq: 0n },
    ].map((span) => create(MembershipSpanSchema, span));
    world.transport.stream.hear(rowHeard(40, { joinedSeq: 40n, readSeq: 40n, spans }));
    await settled();
    await world.pass(100);
    assert.deepEqual(world.seqs(), [1, 2, 3, 40]);
    const asked = world.transport.requests<ListEntriesRequest>("ListEntries");
    assert.deepEqual(
      asked.map(({ position }) => Number(position.value)),
      [1, 39],
    );
    const conversation = world.client.conversation(THREAD);
    assert.deepEqual(
      conversation.entries.map(({ seq }) => seq),
      [1, 2, 3, 40],
    );
    assert.equal(conversation.hasOlder, false);
    await world.client.close();
  });
});
