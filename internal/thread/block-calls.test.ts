import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ErrorReason, storeUnavailable } from "../base/heddle-error.ts";
import { directThreadId } from "../base/thread-id.ts";
import * as rpc from "../gen/heddle/thread/v1/thread_service_pb.js";
import { because, callOf, ThreadCalls } from "../testing/fakes/neighbours/thread-calls.ts";
import { describeBound } from "../testing/fakes/streams/bound.ts";

const requestId = new Uint8Array(16);

describeBound("The calls of blocks", (bound) => {
  let calls: ThreadCalls;
  beforeEach(async () => {
    calls = new ThreadCalls();
    await calls.bind(bound());
  });
  afterEach(() => calls.store.close());

  const block = (userId = "bob", caller = "ann") =>
    calls.handlers.blockUser(create(rpc.BlockUserRequestSchema, { userId, requestId }), callOf(caller));
  const unblock = (userId = "bob", caller = "ann") =>
    calls.handlers.unblockUser(create(rpc.UnblockUserRequestSchema, { userId, requestId }), callOf(caller));
  const blocked = async (caller: string, pageSize = 0, pageToken = new Uint8Array(0)) =>
    calls.handlers.listBlockedUsers(
      create(rpc.ListBlockedUsersRequestSchema, { pageSize, pageToken }),
      callOf(caller),
    );
  const told = () =>
    calls.published.filter(({ kind }) => kind === "block_changed").map(({ isBlocked }) => isBlocked);

  it("store, raise the epoch, have presence confirm, publish, and answer, in this order", async () => {
    const { thread } = await block();
    assert.deepEqual([thread?.threadId, thread?.isBlocked], [directThreadId("ann", "bob"), true]);
    assert.deepEqual(calls.steps, [
      "epoch raised, block stored",
      "presence of ann and bob",
      "block_changed to user/ann, user/bob",
      "thread_changed to user/ann",
    ]);
    const [changed] = calls.published;
    assert.deepEqual([changed?.userId, changed?.otherUserId, changed?.isBlocked], ["ann", "bob", true]);
    assert.deepEqual(await calls.directory.between("bob", "ann"), ["ann"]);
  });

  it("do all of it again when they are repeated, also to take a block back", async () => {
    for (const call of [block, unblock]) {
      await call();
      const steps = [...calls.steps];
      calls.steps.length = 0;
      await call();
      assert.deepEqual(calls.steps, steps);
      calls.steps.length = 0;
    }
    assert.deepEqual(told(), [true, true, false, false]);
  });

  it("publish nothing of a block whose epoch could not be raised", async () => {
    calls.raiseEpoch = () => Promise.reject(storeUnavailable("message"));
    await assert.rejects(block(), because(ErrorReason.STORE_UNAVAILABLE));
    assert.deepEqual(calls.steps, []);
    assert.deepEqual(await calls.directory.between("ann", "bob"), ["ann"]);
  });

  it("say that the pair is blocked while either of the two has blocked", async () => {
    await block("bob", "ann");
    await block("ann", "bob");
    assert.equal((await unblock("bob", "ann")).thread?.isBlocked, false);
    assert.deepEqual(told(), [true, true, true]);
    await unblock("ann", "bob");
    assert.deepEqual(told(), [true, true, true, false]);
  });

  it("tell at last what is so, also where the calls of both cross", async () => {
    await block("bob", "ann");
    let crossing: Promise<unknown> | undefined;
    calls.beforePublish = async ({ kind, isBlocked }) => {
      if (kind !== "block_changed" || isBlocked || crossing) return;
      crossing = block("ann", "bob"); // Stored and published while ann's "no block" is on its way.
      await crossing;
    };
    await unblock("bob", "ann");
    assert.ok(crossing);
    assert.deepEqual(told(), [true, true, false, true]);
  });

  it("list the users that the caller has blocked, in pages", async () => {
    for (const userId of ["cid", "bob", "dan"]) await block(userId);
    const first = await blocked("ann", 2);
    assert.deepEqual(first.userIds, ["bob", "cid"]);
    const second = await blocked("ann", 2, new Uint8Array(first.nextPageToken ?? []));
    assert.deepEqual([second.userIds, second.nextPageToken?.length], [["dan"], 0]);
    assert.deepEqual((await blocked("bob")).userIds, []);
  });

  it("need two users", async () => {
    await assert.rejects(block("ann"), because(ErrorReason.SELF_THREAD));
    await assert.rejects(unblock("ann"), because(ErrorReason.SELF_THREAD));
  });
});
