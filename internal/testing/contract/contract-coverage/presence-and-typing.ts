import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { PresenceStatus, Visibility } from "../../../gen/heddle/presence/v1/presence_pb.js";
import type { RecordedHeddle, RecordedStream } from "./recorded-heddle.ts";
import { sendOf } from "./send-request.ts";

const THREAD = directThreadId("kim", "lea");
const { ONLINE, OFFLINE, UNKNOWN } = PresenceStatus;

/** Who is there and who writes, on streams and by calls. */
export function presenceAndTyping(recorded: () => RecordedHeddle): void {
  let kim: RecordedStream;
  let lea: RecordedStream;
  let leftAtMs: bigint;

  /** lea shows herself, or hides. */
  const setVisibility = (visibility: Visibility) =>
    recorded()
      .as("lea", "connect")
      .presence.setVisibility({ visibility, requestId: randomBytes(16) });

  before(async () => {
    await recorded().signIn(["kim", "lea", "mia"]);
    await recorded().as("kim").message.send(sendOf("lea", "hi"));
  });

  it("watch: the presence of each at once, then the changes", async () => {
    kim = await recorded().session("kim", "phone");
    kim.say({ case: "watch", value: { userIds: ["lea", "mia"] } as never });
    const first = await kim.next("presence");
    assert.deepEqual([first.userId, first.status, first.lastSeenAtMs], ["lea", OFFLINE, 0n]);
    lea = await recorded().session("lea", "phone");
    const second = await kim.next("presence");
    assert.deepEqual([second.userId, second.status, second.lastSeenAtMs], ["lea", ONLINE, 0n]);
  });

  it("ListPresence: of those who share a thread with one", async () => {
    const { presence } = recorded().as("kim", "grpcWeb");
    const { presences } = await presence.listPresence({ userIds: ["mia", "lea", "kim"] });
    assert.deepEqual(
      presences.map(({ userId, status }) => [userId, status]),
      [["lea", ONLINE]],
    );
  });

  it("typing: the other hears who writes, in which thread and for how long to show it", async () => {
    lea.say({ case: "typing", value: { threadId: THREAD } as never });
    const typing = await kim.next("typing");
    assert.deepEqual([hex(typing.threadId), typing.userId], [hex(THREAD), "lea"]);
    assert.equal(typing.expiresAfterMs, 6_000);
  });

  it("SetVisibility and GetVisibility: one who hides is not known, on streams, by calls and to senders", async () => {
    const { presence, message } = recorded().as("kim", "connect");
    assert.equal((await recorded().as("lea").presence.getVisibility({})).visibility, Visibility.SHARED);
    assert.equal((await setVisibility(Visibility.NOBODY)).visibility, Visibility.NOBODY);
    assert.equal((await presence.listPresence({ userIds: ["lea"] })).presences.length, 0);
    assert.equal((await kim.next("presence")).status, UNKNOWN);
    assert.equal((await recorded().as("lea").presence.getVisibility({})).visibility, Visibility.NOBODY);
    assert.equal((await message.send(sendOf("lea", "there?", 1n))).recipientOffline, undefined);
    assert.equal((await setVisibility(Visibility.SHARED)).visibility, Visibility.SHARED);
    assert.equal((await kim.next("presence")).status, ONLINE);
    assert.equal((await message.send(sendOf("lea", "there you are", 2n))).recipientOffline, false);
  });

  it("watch: says when one who left was last seen", async () => {
    lea.close();
    const { lastSeenAtMs } = await kim.next("presence", ({ status }) => status === OFFLINE);
    leftAtMs = lastSeenAtMs;
    assert.ok(Date.now() - Number(lastSeenAtMs) < 20_000);
    const { presences } = await recorded()
      .as("kim")
      .presence.listPresence({ userIds: ["lea"] });
    assert.equal(presences[0]?.lastSeenAtMs, leftAtMs);
    kim.close();
  }).timeout(20_000);
}
