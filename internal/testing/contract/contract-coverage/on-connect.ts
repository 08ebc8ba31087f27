import assert from "node:assert/strict";
import { Code } from "../../../base/heddle-error.ts";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { ThreadKind } from "../../../gen/heddle/thread/v1/thread_pb.js";
import type { RecordedHeddle, RecordedStream } from "./recorded-heddle.ts";
import { sendOf } from "./send-request.ts";

/** Two users who do nothing else: their seqs are known at each step. */
const THREAD = directThreadId("ann", "bob");

/** What two users say and learn on bidirectional streams. */
export function onConnect(recorded: () => RecordedHeddle): void {
  let ann: RecordedStream;
  let bob: RecordedStream;
  let cursor: Uint8Array;
  const startedMs = Date.now();
  /** Whether a time that the server noted lies within this run. */
  const isNow = (ms: bigint) => ms >= startedMs && ms <= Date.now();

  it("Connect: opened says who and how often to ping, caught_up where to go on", async () => {
    const session = await recorded().as("ann").gateway.openSession({ deviceId: "phone" });
    assert.deepEqual(
      [session.grpcUrl, session.webUrl],
      [recorded().heddle.grpcUrl, recorded().heddle.webUrl],
    );
    assert.ok(Number(session.expiresAtMs) > Date.now() + 9 * 60_000);
    ann = recorded().stream(session);
    ann.open("phone");
    const opened = await ann.next("opened");
    assert.equal(opened.userId, "ann");
    assert.equal(opened.sessionId.length, 16);
    assert.equal(opened.pingIntervalMs, 15_000);
    assert.equal(opened.deploymentId.length, 16);
    assert.ok(opened.logEpoch > 0n);
    ({ cursor } = await ann.next("caughtUp"));
    assert.ok(cursor.length > 0);
  });

  it("Connect: accepted says where a send is, and a repeat's duplicate says that it was there", async () => {
    const send = sendOf("bob", "hello");
    ann.say({ case: "send", value: send as never });
    const first = await ann.next("accepted");
    assert.deepEqual([hex(first.clientId), hex(first.threadId)], [hex(send.clientId), hex(THREAD)]);
    assert.deepEqual([first.seq, first.duplicate, first.recipientOffline], [1n, false, true]);
    assert.ok(isNow(first.createdAtMs));
    ann.say({ case: "send", value: { ...send, attempt: 2 } as never });
    const again = await ann.next("accepted");
    assert.deepEqual(again, { ...first, duplicate: true });
  });

  it("Connect: thread_changed names a thread and its row to one who opens later", async () => {
    bob = recorded().stream(await recorded().as("bob").gateway.openSession({ deviceId: "phone" }));
    bob.open("phone");
    const changed = await bob.next("threadChanged");
    assert.equal(hex(changed.threadId), hex(THREAD));
    assert.deepEqual([changed.head?.seq, changed.head?.ordinal], [1n, 1n]);
    const row = changed.thread ?? assert.fail();
    assert.equal(hex(row.threadId), hex(THREAD));
    assert.deepEqual([row.kind, row.participants], [ThreadKind.DIRECT, ["ann", "bob"]]);
    assert.ok(isNow(row.createdAtMs) && isNow(row.updatedAtMs));
    assert.deepEqual(row.head, changed.head);
    await bob.next("caughtUp");
  });

  it("Connect: entry carries what was sent, and an ack of it is a receipt for the sender", async () => {
    const send = sendOf(THREAD, "are you there?", 1n);
    ann.say({ case: "send", value: send as never });
    const accepted = await ann.next("accepted");
    const entry = await bob.next("entry");
    assert.equal(accepted.recipientOffline, false);
    assert.deepEqual([hex(entry.threadId), hex(entry.clientId)], [hex(THREAD), hex(send.clientId)]);
    assert.deepEqual([entry.seq, entry.ordinal, entry.baseSeq, entry.sender], [2n, 2n, 1n, "ann"]);
    assert.equal(entry.createdAtMs, accepted.createdAtMs);
    assert.deepEqual(entry.body?.kind.value, { $typeName: "heddle.message.v1.Text", text: "are you there?" });
    bob.ack();
    const receipt = await ann.next(
      "receipt",
      ({ userId, deliveredSeq }) => userId === "bob" && deliveredSeq === 2n,
    );
    assert.deepEqual([hex(receipt.threadId), receipt.readSeq], [hex(THREAD), 0n]);
  });

  it("Connect: a receipt frame moves both positions, and the sender hears of it", async () => {
    bob.say({ case: "receipt", value: { threadId: THREAD, deliveredSeq: 2n, readSeq: 2n } as never });
    const receipt = await ann.next("receipt", ({ userId, readSeq }) => userId === "bob" && readSeq > 0n);
    assert.deepEqual([receipt.deliveredSeq, receipt.readSeq, receipt.readOrdinal], [2n, 2n, 2n]);
  });

  it("Connect: ping is answered by pong", async () => {
    ann.say({ case: "ping", value: {} as never });
    await ann.next("pong");
  });

  it("Connect: refused says which frame, why, and that the send will never be in the log", async () => {
    const send = { ...sendOf(THREAD, ""), body: { kind: { case: "void", value: {} } } };
    ann.say({ case: "send", value: send as never });
    const refused = await ann.next("refused");
    assert.deepEqual([hex(refused.clientId), hex(refused.threadId)], [hex(send.clientId), hex(THREAD)]);
    assert.equal(refused.code, Number(Code.INVALID_ARGUMENT));
    assert.match(refused.message, /body/);
    assert.equal(refused.errorInfo?.domain, "heddle");
    assert.equal(refused.errorInfo?.reason, "INVALID_FIELD");
    assert.equal(refused.errorInfo?.metadata.committed, "never");
  });

  it("Connect: a cursor brings what changed since", async () => {
    const later = await recorded().session("ann", "laptop", cursor);
    const rows = later.events.filter(({ kind }) => kind.case === "threadChanged");
    assert.equal(rows.length, 1);
    later.close();
  });

  it("GetThread: the row has the read position once the session has ended", async () => {
    bob.close();
    await bob.ended();
    const { thread } = recorded().as("bob");
    let row = (await thread.getThread({ threadId: THREAD })).thread;
    // Written when the server learns that the stream is gone.
    while (row?.readSeq === 0n) row = (await thread.getThread({ threadId: THREAD })).thread;
    assert.deepEqual([row?.readSeq, row?.readOrdinal], [2n, 2n]);
  });
}
