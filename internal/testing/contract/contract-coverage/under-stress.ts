import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { DrainingReason } from "../../../gen/heddle/push/v1/frame_pb.js";
import { devTokens } from "../../trials/programs/heddle-process.ts";
import type { RecordedHeddle, RecordedStream } from "./recorded-heddle.ts";
import { sendOf } from "./send-request.ts";

/**
 * More threads than 500 that may be behind one by one: beside them some entries fill the flow-control window of the
 * client and what is given to the transport at a time, and where no entry fits there some hundred `behind` still do.
 */
const WRITERS = Array.from({ length: 1_600 }, (_, at) => `writer${at}`);
/** So many threads fall behind one by one: each is named. */
const FEW = 40;
/** Calls under way at once. */
const AT_A_TIME = 90;
/** The longest text that may be sent. */
const LONGEST = "x".repeat(32_768);
/** Where the longest do not fit any more these fill what is left; and they are written before the silent reader is noticed. */
const SHORT = "x".repeat(2_000);

/** What streams learn when something ends them, or when they do not read. */
export function underStress(recorded: () => RecordedHeddle): void {
  /**
   * Each writer begins a thread with the reader, who does not read: the first with the longest texts, to fill what
   * buffers there are.
   */
  const writeAll = async (writers: readonly string[], to: string) => {
    const write = (writer: string, at: number) =>
      recorded()
        .as(writer)
        .message.send(sendOf(to, at < 2 * FEW ? LONGEST : SHORT));
    for (let at = 0; at < writers.length; at += AT_A_TIME) {
      await Promise.all(writers.slice(at, at + AT_A_TIME).map((writer, of) => write(writer, at + of)));
    }
  };

  before(() => recorded().signIn(WRITERS));

  it("behind: names the threads of which entries were dropped, with their heads", async () => {
    const reader = await recorded().session("gina", "phone");
    reader.pause();
    await writeAll(WRITERS.slice(0, FEW), "gina");
    reader.resume();
    const { threadId, head } = await reader.next("behind");
    assert.deepEqual([head?.seq, head?.ordinal], [1n, 1n]);
    const threads = WRITERS.slice(0, FEW).map((writer) => hex(directThreadId(writer, "gina")));
    assert.ok(threads.includes(hex(threadId)));
    reader.close();
  });

  it("behind_all: when they are too many to name; Sync finds each of them", async () => {
    const reader = await recorded().session("hal", "phone");
    reader.pause();
    await writeAll(WRITERS, "hal");
    reader.resume();
    await reader.next("behindAll");
    const { thread } = recorded().as("hal");
    const found = new Set<string>();
    for (let pageToken: Uint8Array = new Uint8Array(0), isLast = false; !isLast; ) {
      const page = await thread.sync({ pageToken });
      for (const { threadId, head } of page.threads) if (head?.seq === 1n) found.add(hex(threadId));
      pageToken = page.nextPageToken;
      isLast = pageToken.length === 0;
    }
    assert.equal(found.size, WRITERS.length);
    reader.close();
  });

  it("draining: another stream took the session over", async () => {
    const session = await recorded().as("ivo").gateway.openSession({ deviceId: "phone" });
    const streams = [recorded().stream(session), recorded().stream(session)] as const;
    for (const stream of streams) {
      stream.open("phone");
      await stream.next("caughtUp");
    }
    await drains(streams[0], DrainingReason.REPLACED);
    streams[1].close();
  });

  it("draining: the user revoked the device", async () => {
    const stream = await recorded().session("ivo", "lost");
    await recorded()
      .as("ivo")
      .thread.revokeDevice({ deviceId: "lost", requestId: randomBytes(16) });
    await drains(stream, DrainingReason.DEVICE_REVOKED);
  });

  it("draining: the user token ends, so long from now", async () => {
    const { jan = "" } = await devTokens(recorded().heddle.webUrl, ["jan"], 3);
    const stream = recorded().stream(await recorded().with(jan).gateway.openSession({ deviceId: "phone" }));
    stream.open("phone");
    const { afterMs, jitterMs } = await drains(stream, DrainingReason.TOKEN_EXPIRED);
    assert.ok(afterMs > 0 && afterMs <= 3_000 && jitterMs <= afterMs, `${afterMs}, ${jitterMs}`);
  });

  it("draining: the server shuts down", async () => {
    const stream = await recorded().session("ivo", "phone");
    const stopped = recorded().stop();
    const { afterMs, jitterMs } = await drains(stream, DrainingReason.SHUTDOWN);
    assert.deepEqual([afterMs, jitterMs], [300, 150]);
    await stopped;
  });
}

/** Resolves to what was said when the stream has ended as announced. */
async function drains(stream: RecordedStream, reason: DrainingReason) {
  const draining = await stream.next("draining");
  assert.equal(draining.reason, reason);
  assert.equal(await stream.ended(), undefined);
  return draining;
}
