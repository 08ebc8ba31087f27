import assert from "node:assert/strict";
import { create, fromBinary } from "@bufbuild/protobuf";
import { ErrorReason } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import type { Publication } from "../base/publication.ts";
import { directThreadId, groupThreadId } from "../base/thread-id.ts";
import { ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { ThreadKind } from "../gen/heddle/thread/v1/thread_pb.js";
import * as rpc from "../gen/heddle/thread/v1/thread_service_pb.js";
import type { Threads } from "../push/ports.ts";
import type { Handlers } from "../rpc/calls/handlers.ts";
import { SqliteThreadStore } from "../store/sqlite/sqlite-thread-store.ts";
import { because, callOf, ThreadCalls } from "../testing/fakes/neighbours/thread-calls.ts";
import { describeBound } from "../testing/fakes/streams/bound.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { Directory } from "./directory.ts";

const ann = callOf("ann");
const bob = callOf("bob");
const requestId = new Uint8Array(16);
const THREAD = directThreadId("ann", "bob");

describeBound("ThreadService", (bound) => {
  let clock: FakeClock;
  let store: SqliteThreadStore;
  let published: Publication[];
  let head: { seq: number; ordinal: number };
  let handlers: Handlers<typeof rpc.ThreadService>;
  let forPush: Threads;

  beforeEach(async () => {
    const calls = new ThreadCalls();
    await calls.bind(bound());
    head = { seq: 0, ordinal: 0 };
    calls.heads = async (threads) => new Map(threads.map(({ threadId }) => [hex(threadId), head]));
    ({ clock, store, published, handlers, forPush } = calls);
  });
  afterEach(() => store.close());

  const createThread = (userId = "bob", call = ann) =>
    handlers.createDirectThread(create(rpc.CreateDirectThreadRequestSchema, { userId, requestId }), call);
  const getThread = (threadId: Uint8Array, call = ann) =>
    handlers.getThread(create(rpc.GetThreadRequestSchema, { threadId }), call);
  const setMuted = (isMuted: boolean, threadId = THREAD) =>
    handlers.setMuted(create(rpc.SetMutedRequestSchema, { threadId, isMuted, requestId }), ann);
  const revoke = (deviceId: string) =>
    handlers.revokeDevice(create(rpc.RevokeDeviceRequestSchema, { deviceId, requestId }), ann);

  it("makes a direct thread once, for both, whichever asks", async () => {
    const { thread } = await createThread();
    assert.deepEqual(thread?.threadId, THREAD);
    assert.equal(thread?.kind, ThreadKind.DIRECT);
    assert.deepEqual(thread?.participants, ["ann", "bob"]);
    assert.equal(thread?.createdAtMs, BigInt(clock.nowMs()));
    clock.advance(60_000);
    const again = await createThread("ann", bob);
    assert.deepEqual(again.thread?.threadId, THREAD);
    assert.equal(again.thread?.createdAtMs, thread?.createdAtMs);
  });

  it("makes no thread of a user with itself", async () => {
    await assert.rejects(createThread("ann"), because(ErrorReason.SELF_THREAD));
    assert.deepEqual(await store.get("ann", [directThreadId("ann", "ann")]), []);
  });

  it("reads a thread with its head and positions", async () => {
    await createThread();
    await store.raiseRead([{ ownerId: "ann", threadId: THREAD, readSeq: 5, readOrdinal: 4 }]);
    head = { seq: 7, ordinal: 6 };
    const { thread } = await getThread(THREAD);
    assert.deepEqual([thread?.head?.seq, thread?.head?.ordinal], [7n, 6n]);
    assert.deepEqual([thread?.readSeq, thread?.readOrdinal], [5n, 4n]);
  });

  it("finds neither a thread that is not there nor one of others", async () => {
    await createThread();
    await assert.rejects(getThread(new Uint8Array(16)), because(ErrorReason.THREAD_NOT_FOUND));
    await assert.rejects(getThread(THREAD, callOf("eve")), because(ErrorReason.THREAD_NOT_FOUND));
    await assert.rejects(setMuted(true, new Uint8Array(16)), because(ErrorReason.THREAD_NOT_FOUND));
  });

  it("lists threads that have entries", async () => {
    await createThread();
    const list = () => handlers.listThreads(create(rpc.ListThreadsRequestSchema), ann);
    assert.deepEqual((await list()).threads, []);
    head = { seq: 1, ordinal: 1 };
    const { threads, nextPageToken } = await list();
    assert.deepEqual(
      threads?.map((thread) => thread.threadId),
      [THREAD],
    );
    assert.equal(nextPageToken?.length, 0);
  });

  it("syncs through its RPC as through its port", async () => {
    await createThread();
    head = { seq: 1, ordinal: 1 };
    const response = await handlers.sync(create(rpc.SyncRequestSchema), ann);
    const page = await forPush.sync("ann", new Uint8Array(0), new Uint8Array(0));
    const { threads, nextPageToken, cursor } = response;
    assert.deepEqual({ ...page, threads: [...page.threads] }, { ...page, threads, nextPageToken, cursor });
    assert.equal(response.threads?.length, 1);
    const next = await handlers.sync(
      create(rpc.SyncRequestSchema, { cursor: response.cursor ?? requestId }),
      bob,
    );
    assert.equal(next.threads?.length, 1); // Made a moment ago, so still active.
  });

  it("mutes for the caller alone and tells the caller's other devices", async () => {
    await createThread();
    head = { seq: 3, ordinal: 2 };
    const { thread } = await setMuted(true);
    assert.equal(thread?.isMuted, true);
    assert.equal((await getThread(THREAD, bob)).thread?.isMuted, false);

    const [publication] = published;
    assert.equal(publication?.kind, "thread_changed");
    assert.deepEqual(publication?.topics, ["user/ann"]);
    assert.deepEqual([publication?.thread, publication?.seq, publication?.ordinal], [hex(THREAD), 3, 2]);
    const frame = fromBinary(ServerFrameSchema, publication?.frame ?? requestId);
    const changed = frame.events[0]?.kind;
    assert.ok(changed?.case === "threadChanged");
    assert.equal(changed.value.thread?.isMuted, true);
    assert.equal(changed.value.head?.seq, 3n);
  });

  it("tells the other devices again when a call is repeated", async () => {
    await createThread();
    await setMuted(true);
    await setMuted(true);
    assert.equal(published.length, 2);
  });

  it("lists devices, and revokes one before it tells the push servers", async () => {
    await store.openDevice("ann", "phone");
    const list = async () => (await handlers.listDevices(create(rpc.ListDevicesRequestSchema), ann)).devices;
    const now = BigInt(clock.nowMs());
    assert.deepEqual(await list(), [{ deviceId: "phone", createdAtMs: now, lastOpenedAtMs: now }]);
    assert.deepEqual(await revoke("phone"), {});
    assert.deepEqual(await list(), []);
    assert.equal(await store.openDevice("ann", "phone"), "revoked");
    const [publication] = published;
    assert.deepEqual([publication?.kind, publication?.deviceId], ["device_revoked", "phone"]);
    assert.deepEqual(publication?.topics, ["user/ann"]);
  });

  it("knows no device that never opened a session", async () => {
    await assert.rejects(revoke("phone"), because(ErrorReason.DEVICE_NOT_FOUND));
    assert.deepEqual(published, []);
  });
});

describe("Directory", () => {
  let store: SqliteThreadStore;
  let directory: Directory;
  beforeEach(() => {
    store = new SqliteThreadStore({ path: ":memory:", clock: new FakeClock() });
    directory = new Directory(store);
  });
  afterEach(() => store.close());

  it("shows a thread to its members alone", async () => {
    await directory.createDirect("bob", "ann");
    const view = {
      kind: "direct",
      participants: ["ann", "bob"],
      headBucket: 0,
      earlier: [],
      joinedSeq: 0,
      leftSeq: undefined,
      leftOrdinal: undefined,
    };
    assert.deepEqual(await directory.view(THREAD, "ann"), view);
    assert.deepEqual(await directory.view(THREAD, "bob"), view);
    assert.equal(await directory.view(THREAD, "eve"), undefined);
  });

  it("tells of those who left when a projection says so, for any caller", async () => {
    const left: string[][] = [];
    directory.onLeft((userIds) => left.push([...userIds]));
    const threadId = groupThreadId("ann", requestId);
    const entry = {
      threadId,
      ordinal: 0,
      createdAtMs: 1,
      sender: "ann",
      requestId,
      changed: [],
      isLarge: false,
    };
    const added = ["ann", "bob"].map((userId) => ({ userId, role: "member" as const }));
    const first = { ...entry, seq: 1, previousSeq: 0, name: "x", added, removed: [], memberCount: 2 };
    const second = {
      ...first,
      seq: 2,
      previousSeq: 1,
      name: undefined,
      added: [],
      removed: ["bob"],
      memberCount: 1,
    };
    assert.equal(await directory.project({ ...second, requestId: new Uint8Array(16).fill(1) }, 0), 0);
    assert.deepEqual(left, [], "it is not in yet");
    await directory.project(first, 0);
    await directory.project({ ...second, requestId: new Uint8Array(16).fill(1) }, 0);
    assert.deepEqual(left, [["bob"]]);
  });

  it("touches rows and copies read positions", async () => {
    await directory.createDirect("ann", "bob");
    await directory.touch(THREAD, ["ann", "bob"], 2);
    await directory.raiseRead([{ ownerId: "bob", threadId: THREAD, readSeq: 9, readOrdinal: 8 }]);
    assert.equal((await directory.view(THREAD, "ann"))?.headBucket, 2);
    const [row] = await store.get("bob", [THREAD]);
    assert.deepEqual([row?.readSeq, row?.readOrdinal, row?.version], [9, 8, 3]);
  });
});
