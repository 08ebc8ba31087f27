import assert from "node:assert/strict";
import { create, fromBinary } from "@bufbuild/protobuf";
import { ErrorReason } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import type { Publication } from "../base/publication.ts";
import { directThreadId, groupThreadId } from "../base/thread-id.ts";
import { MemberRole } from "../gen/heddle/message/v1/entry_pb.js";
import { ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { ThreadKind } from "../gen/heddle/thread/v1/thread_pb.js";
import * as rpc from "../gen/heddle/thread/v1/thread_service_pb.js";
import { because, callOf, ThreadCalls } from "../testing/fakes/neighbours/thread-calls.ts";
import { describeBound } from "../testing/fakes/streams/bound.ts";

const [ann, bob] = ["ann", "bob"];
let requests = 0;

function newRequestId(): Uint8Array {
  return new Uint8Array(16).fill(++requests);
}

describeBound("The calls of groups", (bound) => {
  let calls: ThreadCalls;
  let threadId: Uint8Array;

  beforeEach(async () => {
    calls = new ThreadCalls();
    await calls.bind(bound());
    threadId = (await make(["bob", "cid"])) ?? new Uint8Array(16);
    calls.steps.length = 0;
    calls.published.length = 0;
  });
  afterEach(() => calls.store.close());

  async function make(userIds: string[], requestId = newRequestId()): Promise<Uint8Array | undefined> {
    const request = create(rpc.CreateGroupRequestSchema, { name: "Weavers", userIds, requestId });
    return (await calls.handlers.createGroup(request, callOf(ann))).thread?.threadId;
  }

  const add = (userIds: string[], requestId = newRequestId(), id = threadId) =>
    calls.handlers.addMembers(
      create(rpc.AddMembersRequestSchema, { threadId: id, userIds, requestId }),
      callOf(ann),
    );
  const remove = (userIds: string[], id = threadId) =>
    calls.handlers.removeMembers(
      create(rpc.RemoveMembersRequestSchema, { threadId: id, userIds, requestId: newRequestId() }),
      callOf(ann),
    );
  const leave = (userId: string, id = threadId) =>
    calls.handlers.leaveGroup(
      create(rpc.LeaveGroupRequestSchema, { threadId: id, requestId: newRequestId() }),
      callOf(userId),
    );
  const list = async (userId: string, pageSize = 0, pageToken = new Uint8Array(0)) => {
    const request = create(rpc.ListMembersRequestSchema, { threadId, pageSize, pageToken });
    return calls.handlers.listMembers(request, callOf(userId));
  };
  const thread = async (userId: string) =>
    (await calls.handlers.getThread(create(rpc.GetThreadRequestSchema, { threadId }), callOf(userId))).thread;

  it("make a group of the caller and others, once for a request", async () => {
    const requestId = newRequestId();
    const request = { name: "Weavers", userIds: ["bob", "ann", "bob"], requestId };
    const call = () => calls.handlers.createGroup(create(rpc.CreateGroupRequestSchema, request), callOf(ann));
    const { thread: made } = await call();
    assert.deepEqual(made?.threadId, groupThreadId(ann, requestId));
    assert.deepEqual(
      [made?.kind, made?.name, made?.memberCount, made?.role, made?.joinedSeq, made?.hasLeft, made?.isLarge],
      [ThreadKind.GROUP, "Weavers", 2, MemberRole.OWNER, 1n, false, false],
    );
    assert.deepEqual([made?.head?.seq, made?.readSeq], [1n, 1n]);
    assert.deepEqual((await call()).thread, made);
    const ids = [threadId, groupThreadId(ann, requestId)].map(hex);
    assert.deepEqual((await calls.forPush.groups(bob)).map(hex).sort(), ids.sort());
  });

  it("tell presence of those who come before the devices, and answer last", async () => {
    const { seq, thread: mine } = await add(["dan", "bob"]);
    assert.deepEqual([seq, mine?.memberCount], [2n, 4]);
    assert.deepEqual(calls.steps.slice(0, 2), ["change add", "presence of bob, dan"]);
    assert.deepEqual(calls.steps.slice(2).sort(), [
      "thread_changed to user/ann",
      "thread_changed to user/bob",
      "thread_changed to user/dan",
    ]);
    const theirs = calls.published.find(({ topics }) => topics[0] === "user/dan");
    const row = theirs && rowIn(theirs);
    assert.deepEqual([row?.joinedSeq, row?.role], [2n, MemberRole.MEMBER]);
  });

  it("name no head above the leaving entry to one who leaves while it is told", async () => {
    const heads = calls.heads.bind(calls);
    calls.heads = async (threads) => {
      calls.heads = heads;
      await leave(bob);
      calls.post(threadId);
      return heads(threads);
    };
    await add([bob, "dan"]);
    const told = calls.published.filter(({ topics }) => topics[0] === "user/bob").map(rowIn);
    assert.deepEqual(told.at(-1)?.hasLeft, true);
    assert.deepEqual(new Set(told.map((row) => row?.head?.seq)), new Set([3n]));
  });

  it("tell all of it again when a call is repeated", async () => {
    const requestId = newRequestId();
    await add(["dan"], requestId);
    const steps = [...calls.steps];
    calls.steps.length = 0;
    assert.equal((await add(["dan"], requestId)).seq, 2n);
    assert.deepEqual(calls.steps, steps);
  });

  it("show one who was removed the group as it was, and tell it", async () => {
    assert.equal((await remove(["cid", "nobody"])).seq, 2n);
    assert.ok(calls.steps.includes("presence of cid, nobody"));
    assert.ok(calls.steps.includes("thread_changed to user/cid"));
    assert.ok(!calls.steps.includes("thread_changed to user/nobody"));
    await calls.handlers.renameGroup(
      create(rpc.RenameGroupRequestSchema, { threadId, name: "Secret", requestId: newRequestId() }),
      callOf(ann),
    );
    const seen = await thread("cid");
    assert.deepEqual(
      [seen?.hasLeft, seen?.role, seen?.name, seen?.memberCount, seen?.head?.seq, seen?.head?.ordinal],
      [true, MemberRole.UNSPECIFIED, "Weavers", 2, 2n, 2n],
    );
    assert.deepEqual([(await thread(ann))?.name, (await thread(ann))?.head?.seq], ["Secret", 3n]);
    assert.deepEqual(await calls.forPush.groups("cid"), []);
  });

  it("tell a device at last what is so, also where calls cross", async () => {
    let crossing: Promise<unknown> | undefined;
    calls.beforePublish = async ({ topics }) => {
      if (crossing || topics[0] !== "user/cid") return;
      const request = { threadId, userIds: ["cid"], requestId: newRequestId() };
      crossing = calls.handlers.addMembers(create(rpc.AddMembersRequestSchema, request), callOf(bob));
      await crossing; // Done and told while the removal is on its way to the device.
    };
    await remove(["cid"]);
    const told = calls.published.filter(({ topics }) => topics[0] === "user/cid").map(rowIn);
    assert.deepEqual(
      told.map((row) => row?.hasLeft),
      [false, true, false],
    );
  });

  it("let a member go by itself", async () => {
    const { thread: left } = await leave(bob);
    assert.deepEqual([left?.hasLeft, left?.head?.seq], [true, 2n]);
    assert.deepEqual(calls.steps, ["change leave", "presence of bob", "thread_changed to user/bob"]);
    await assert.rejects(remove([ann]), because(ErrorReason.INVALID_FIELD, { field: "user_ids" }));
  });

  it("give a role, which the member's devices hear", async () => {
    const request = { threadId, userId: "cid", role: MemberRole.OWNER, requestId: newRequestId() };
    await calls.handlers.setMemberRole(create(rpc.SetMemberRoleRequestSchema, request), callOf(ann));
    assert.equal((await thread("cid"))?.role, MemberRole.OWNER);
    assert.deepEqual(calls.steps, [
      "change role",
      "thread_changed to user/ann",
      "thread_changed to user/cid",
    ]);
  });

  it("list members to members alone, in pages", async () => {
    const first = await list(bob, 2);
    assert.deepEqual(
      first.members?.map(({ userId, role }) => [userId, role]),
      [
        ["ann", MemberRole.OWNER],
        ["bob", MemberRole.MEMBER],
      ],
    );
    const second = await list(bob, 2, new Uint8Array(first.nextPageToken ?? []));
    assert.deepEqual(
      [second.members?.map(({ userId }) => userId), second.nextPageToken?.length],
      [["cid"], 0],
    );
    await leave(bob);
    await assert.rejects(list(bob), because(ErrorReason.THREAD_NOT_FOUND));
    await assert.rejects(list("eve"), because(ErrorReason.THREAD_NOT_FOUND));
    const garbage = because(ErrorReason.TOKEN_MALFORMED, { field: "page_token" });
    await assert.rejects(list(ann, 0, new Uint8Array(65).fill(5)), garbage);
    await assert.rejects(list(ann, 0, new Uint8Array(3)), garbage);
  });

  it("refuse direct threads, which others do not find", async () => {
    const direct = directThreadId(ann, bob);
    await assert.rejects(add(["dan"], newRequestId(), direct), because(ErrorReason.THREAD_NOT_FOUND));
    await calls.directory.createDirect(ann, bob);
    await assert.rejects(add(["dan"], newRequestId(), direct), because(ErrorReason.NOT_A_GROUP));
    await assert.rejects(leave(ann, direct), because(ErrorReason.NOT_A_GROUP));
    await assert.rejects(remove([bob], direct), because(ErrorReason.NOT_A_GROUP));
    assert.deepEqual(calls.steps, []);
  });

  it("are judged by the log where there is no such group", async () => {
    await assert.rejects(
      add(["dan"], newRequestId(), new Uint8Array(16)),
      because(ErrorReason.THREAD_NOT_FOUND),
    );
  });
});

describe("The directory", () => {
  it("says what one who left may see, and who shares a group", async () => {
    const calls = new ThreadCalls();
    const request = { name: "Weavers", userIds: ["bob"], requestId: newRequestId() };
    const { thread } = await calls.handlers.createGroup(
      create(rpc.CreateGroupRequestSchema, request),
      callOf(ann),
    );
    const threadId = thread?.threadId ?? new Uint8Array(16);
    assert.equal(await calls.directory.shares(ann, bob), true);
    const leave = create(rpc.LeaveGroupRequestSchema, { threadId, requestId: newRequestId() });
    await calls.handlers.leaveGroup(leave, callOf(bob));
    assert.deepEqual(await calls.directory.view(threadId, bob), {
      kind: "group",
      participants: [],
      headBucket: 0,
      earlier: [],
      joinedSeq: 1,
      leftSeq: 2,
      leftOrdinal: 2,
    });
    assert.equal(await calls.directory.shares(ann, bob), false);
    assert.equal(await calls.directory.changeSeq(threadId, bob, leave.requestId), 2);
    assert.deepEqual([...((await calls.directory.roster(threadId))?.members.keys() ?? [])], [ann]);
    assert.deepEqual(await calls.directory.count([ann]), new Map([[ann, 0]]));
    await calls.store.close();
  });
});

/** The row that a thread_changed carries. */
function rowIn({ frame }: Publication) {
  const [event] = fromBinary(ServerFrameSchema, frame).events;
  assert.ok(event?.kind.case === "threadChanged");
  return event.kind.value.thread;
}
