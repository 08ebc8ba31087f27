import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { type BodySchema, MemberRole } from "../../../gen/heddle/message/v1/entry_pb.js";
import { type Thread, ThreadKind } from "../../../gen/heddle/thread/v1/thread_pb.js";
import type { RecordedHeddle } from "./recorded-heddle.ts";
import { sendOf } from "./send-request.ts";

const { OWNER, MEMBER } = MemberRole;

/** The groups that these tests make: a later test looks at them in the store. */
export interface MadeGroups {
  threadId: Uint8Array;
  largeThreadId: Uint8Array;
}

/** Groups and blocks, by calls and on streams. */
export function groupsAndBlocks(recorded: () => RecordedHeddle, made: MadeGroups): void {
  /** A new one each time: a repeated one would be answered by what it did first. */
  const requestId = () => randomBytes(16);
  /** Over Connect's own protocol: the other tests use gRPC more. */
  const as = (userId: string) => recorded().as(userId, "connect").thread;
  /** A change of the group that the first test made. */
  const group = () => ({ threadId: made.threadId, requestId: requestId() });
  /** Rows in answers are optional in the schema; here they must be there. */
  const named = (thread: Thread | undefined) => thread ?? assert.fail("no thread");

  before(() => recorded().signIn(["nia", "oto", "pia", "quin"]));

  it("CreateGroup: with its first members, the same one each time", async () => {
    const request = { name: "weavers", userIds: ["oto", "pia"], requestId: requestId() };
    const thread = named((await as("nia").createGroup(request)).thread);
    made.threadId = thread.threadId;
    assert.deepEqual(
      [thread.kind, thread.name, thread.memberCount, thread.role, thread.joinedSeq, thread.head?.seq],
      [ThreadKind.GROUP, "weavers", 3, OWNER, 1n, 1n],
    );
    assert.equal(hex(named((await as("nia").createGroup(request)).thread).threadId), hex(made.threadId));
    const { entries } = await recorded()
      .as("pia", "grpcWeb")
      .message.listEntries({ threadId: made.threadId });
    const first = entries[0]?.body?.kind;
    assert.ok(first?.case === "memberChange" && entries.length === 1);
    assert.deepEqual([first.value.name, first.value.added.length], ["weavers", 3]);
  });

  it("AddMembers, SetMemberRole, RenameGroup, RemoveMembers, LeaveGroup: entries that all members see", async () => {
    const stream = await recorded().session("oto", "phone");
    const added = await as("oto").addMembers({ ...group(), userIds: ["quin"] });
    assert.deepEqual([added.seq, added.thread?.memberCount], [2n, 4]);
    const role = await as("nia").setMemberRole({ ...group(), userId: "oto", role: OWNER });
    assert.deepEqual([role.seq, role.thread?.role], [3n, OWNER]);
    const renamed = await as("pia").renameGroup({ ...group(), name: "weavers of words" });
    assert.deepEqual([renamed.seq, renamed.thread?.name], [4n, "weavers of words"]);
    const demoted = await as("nia").setMemberRole({ ...group(), userId: "oto", role: MEMBER });
    assert.deepEqual([demoted.seq, demoted.thread?.memberCount], [5n, 4]);
    const removed = await as("nia").removeMembers({ ...group(), userIds: ["quin"] });
    assert.deepEqual([removed.seq, removed.thread?.memberCount], [6n, 3]);
    const left = await as("pia").leaveGroup(group());
    assert.deepEqual([left.seq, left.thread?.hasLeft, left.thread?.head?.seq], [7n, true, 7n]);
    const rows = [added, role, renamed, demoted, removed, left].map(({ thread }) => thread?.membersSeq);
    assert.deepEqual(rows, [2n, 3n, 4n, 5n, 6n, 7n]);
    for (let seq = 2n; seq <= 7n; seq++) {
      const { sender, body } = await stream.next("entry", (entry) => entry.seq === seq);
      assert.ok(sender !== "" && body?.kind.case?.endsWith("Change"), `seq ${seq}`);
    }
    stream.close();
  });

  it("ListMembers: page by page, for members only", async () => {
    const { threadId } = made;
    const first = await as("oto").listMembers({ threadId, pageSize: 1 });
    const second = await as("oto").listMembers({ threadId, pageSize: 1, pageToken: first.nextPageToken });
    assert.deepEqual(
      [...first.members, ...second.members].map(({ userId, role }) => [userId, role]),
      [
        ["nia", OWNER],
        ["oto", MEMBER],
      ],
    );
    await assert.rejects(as("pia").listMembers({ threadId }), /no such thread/);
  });

  it("tells all spans of one who came back, in its row and in the list of members", async () => {
    const { threadId } = made;
    const added = await as("nia").addMembers({ ...group(), userIds: ["quin"] });
    const { thread } = await as("quin").getThread({ threadId });
    const { members, spans } = await as("oto").listMembers({ threadId });
    const listed = spans[members.findIndex(({ userId }) => userId === "quin")]?.spans;
    for (const its of [thread?.spans, listed]) {
      assert.deepEqual(
        its?.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq]),
        [
          [2n, 6n],
          [added.seq, 0n],
        ],
      );
    }
  });

  it("says is_large of a group with more than 256 members", async () => {
    const userIds = Array.from({ length: 255 }, (_, at) => `crowd${at}`);
    const request = { name: "crowd", userIds, requestId: requestId() };
    const { threadId } = named((await as("nia").createGroup(request)).thread);
    made.largeThreadId = threadId;
    const more = { threadId, userIds: ["oto"], requestId: requestId() };
    const { thread } = await as("nia").addMembers(more);
    assert.deepEqual([thread?.memberCount, thread?.isLarge], [257, true]);
    const { entries } = await recorded().as("oto").message.listEntries({ threadId });
    assert.deepEqual(
      entries.map(({ seq, body }) => [seq, body?.kind.case === "memberChange" && body.kind.value.isLarge]),
      [[2n, true]],
    );
  });

  it("refuses what only the server may write", async () => {
    const said: NonNullable<MessageInitShape<typeof BodySchema>["kind"]>[] = [
      {
        case: "memberChange",
        value: {
          previousMembersSeq: 7n,
          added: [{ userId: "quin", role: OWNER }],
          removed: ["oto"],
          changed: [{ userId: "oto", role: MEMBER }],
          name: "mine",
          memberCount: 1,
          isLarge: true,
        },
      },
      { case: "settingChange", value: { previousMembersSeq: 7n, name: "mine" } },
    ];
    for (const kind of said) {
      const send = { ...sendOf(made.threadId, "", 7n), body: { kind } };
      await assert.rejects(recorded().as("nia").message.send(send), /only a text may be sent/);
    }
  });

  it("BlockUser, ListBlockedUsers, UnblockUser: neither can write to the other meanwhile", async () => {
    await recorded().as("nia").message.send(sendOf("oto", "hi"));
    const threadId = directThreadId("nia", "oto");
    const stream = await recorded().session("nia", "phone");
    const blocked = named((await as("nia").blockUser({ userId: "oto", requestId: requestId() })).thread);
    assert.deepEqual([blocked.isBlocked, hex(blocked.threadId)], [true, hex(threadId)]);
    await stream.next("threadChanged", ({ thread }) => thread?.isBlocked === true);
    await as("nia").blockUser({ userId: "pia", requestId: requestId() });
    const first = await as("nia").listBlockedUsers({ pageSize: 1 });
    const second = await as("nia").listBlockedUsers({ pageSize: 1, pageToken: first.nextPageToken });
    assert.deepEqual([first.userIds, second.userIds], [["oto"], ["pia"]]);
    for (const [from, to] of [
      ["nia", "oto"],
      ["oto", "nia"],
    ] as const) {
      await assert.rejects(
        recorded()
          .as(from)
          .message.send(sendOf(to, "hello?", 1n)),
        /block/,
      );
    }
    const unblocked = (await as("nia").unblockUser({ userId: "oto", requestId: requestId() })).thread;
    assert.equal(unblocked?.isBlocked, false);
    assert.equal(
      (
        await recorded()
          .as("oto")
          .message.send(sendOf("nia", "thanks", 1n))
      ).seq,
      2n,
    );
    stream.close();
  });
}
