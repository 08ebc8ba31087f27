import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { hex } from "../../base/ids.ts";
import type { Publication } from "../../base/publication.ts";
import { PresenceStatus } from "../../gen/heddle/presence/v1/presence_pb.js";
import { type Event, ServerFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { entry, receipt, row, threadOf } from "../../testing/worlds/push/push-world.ts";
import { threadChangedFrame } from "../../wire/event-frames.ts";
import {
  ANSWER_BYTES,
  ANSWERS,
  BEHIND_BYTES,
  BEHIND_THREADS,
  CREDIT_EVENTS,
  PRESENCE_BYTES,
  PRESENCE_FRAME_BYTES,
  QUEUE_BYTES,
  TRANSPORT_BYTES,
  WATCHED_USERS,
} from "../limits.ts";
import { behindFrame, caughtUpFrame, PONG_FRAME, presenceFrame } from "./events.ts";
import { SessionQueue } from "./session-queue.ts";

const NOBODY = () => {};

/** A queue of bob's, live unless said otherwise, over a transport whose buffer the test sets. */
function queue(options: { readonly held?: boolean } = {}) {
  const transport = { bufferedBytes: 0 };
  const made = new SessionQueue(transport, "bob");
  if (!options.held) made.release();
  return { queue: made, transport };
}

function from(thread: number, seq: number, text = "hi", sender = "ann"): Publication {
  return entry({ thread: threadOf(thread), seq, from: sender, to: "bob", text });
}

function changed(thread: number, seq: number): Publication {
  const frame = threadChangedFrame(row(thread, seq));
  return { ...from(thread, seq), kind: "thread_changed", frame, seq: 0, ordinal: 0, userId: "" };
}

function read(of: Publication["userId"], thread: number, readSeq: number): Publication {
  return receipt({ thread: threadOf(thread), userId: of, to: "bob", readSeq });
}

/** What a stream holds of everything but answers and presence. */
const ROOM = QUEUE_BYTES - ANSWER_BYTES - PRESENCE_BYTES - BEHIND_BYTES;

const presence = (userId: string, status: "online" | "offline") =>
  presenceFrame(userId, { status, lastSeenAtMs: 0 });

function typing(thread: number, userId = "ann"): Publication {
  return { ...from(thread, 1), kind: "typing", seq: 0, userId };
}

/** A thread that only takes up room. */
const FILLER = 9_999;

/** Text of an entry that never fits. */
const TOO_LONG = "x".repeat(TRANSPORT_BYTES);

/** A queue in which, with the transport below it, not another entry fits; and all that it says once it may. */
function filled() {
  const made = queue();
  const { queue: one, transport } = made;
  transport.bufferedBytes = TRANSPORT_BYTES;
  const filler = from(FILLER, 1);
  while (one.queuedBytes + filler.frame.length <= ROOM) one.push(filler);
  assert.equal(one.isReady, true);
  const all = () => {
    transport.bufferedBytes = 0;
    const said: string[] = [];
    for (let taken = one.takeFrame(); taken; taken = one.takeFrame()) said.push(...words(taken));
    return said.filter((what) => what !== `entry ${FILLER}/1`);
  };
  return { ...made, words: all };
}

/** An event as a word: its kind, its thread's number and its seq or the like. */
function word({ kind }: Event): string {
  const thread = (id: Uint8Array) => Number.parseInt(hex(id), 16);
  switch (kind.case) {
    case "entry":
      return `entry ${thread(kind.value.threadId)}/${kind.value.seq}`;
    case "behind":
      return `behind ${thread(kind.value.threadId)}/${kind.value.head?.seq}`;
    case "receipt":
      return `receipt ${thread(kind.value.threadId)}/${kind.value.readSeq}`;
    case "threadChanged":
      return `changed ${thread(kind.value.threadId)}/${kind.value.head?.seq}`;
    default:
      return String(kind.case);
  }
}

function words(bytes: Uint8Array | undefined): string[] {
  return bytes ? fromBinary(ServerFrameSchema, bytes).events.map(word) : [];
}

describe("SessionQueue", () => {
  it("joins what waits into one frame, and shares the bytes of a single event", () => {
    const { queue: one } = queue();
    const alone = from(1, 1);
    one.push(alone);
    assert.equal(one.takeFrame(), alone.frame);
    one.push(from(1, 2));
    one.push(from(2, 1));
    one.answer(PONG_FRAME);
    assert.deepEqual(words(one.takeFrame()), ["pong", "entry 1/2", "entry 2/1"]);
    assert.equal(one.takeFrame(), undefined);
  });

  it("numbers every event in the order in which it stands on the stream", () => {
    const { queue: one } = queue();
    one.answer(PONG_FRAME);
    one.push(from(1, 1));
    one.takeFrame();
    assert.equal(one.sent, 2);
    one.push(from(1, 2));
    one.takeFrame();
    assert.equal(one.sent, 3);
    const covered: string[] = [];
    assert.equal(
      one.ack(2, (thread, seq) => covered.push(`${thread} ${seq}`)),
      "advanced",
    );
    assert.deepEqual(covered, [`${threadOf(1)} 1`]);
    assert.equal(one.ack(2, NOBODY), "stale");
    assert.equal(one.ack(4, NOBODY), "beyond");
    assert.equal(one.unackedEvents, 1);
  });

  it("names no entry of the user's own as delivered, and gives its credit back all the same", () => {
    const { queue: one } = queue();
    one.push(from(1, 1, "hi", "bob"));
    one.takeFrame();
    assert.equal(one.unackedEvents, 1);
    one.ack(1, () => assert.fail("own"));
    assert.equal(one.unackedEvents, 0);
  });

  describe("credit", () => {
    it("lets 256 events out unacknowledged, holds the next, and lets out as many as are acknowledged", () => {
      const { queue: one } = queue();
      for (let seq = 1; seq <= CREDIT_EVENTS + 10; seq++) one.push(from(1, seq));
      assert.equal(words(one.takeFrame()).length, CREDIT_EVENTS);
      assert.equal(one.takeFrame(), undefined);
      assert.equal(one.isReady, false);
      one.ack(3, NOBODY);
      assert.equal(one.isReady, true);
      assert.deepEqual(words(one.takeFrame()), ["entry 1/257", "entry 1/258", "entry 1/259"]);
    });

    it("is not needed by answers and behind", () => {
      const { queue: one } = queue();
      for (let seq = 1; seq <= CREDIT_EVENTS; seq++) one.push(from(1, seq));
      one.takeFrame();
      one.push(from(2, 9, TOO_LONG));
      one.answer(PONG_FRAME);
      assert.deepEqual(words(one.takeFrame()), ["behind 2/9", "pong"]);
    });
  });

  describe("without room", () => {
    it("turns an entry and those of its thread that wait into one behind with the highest head", () => {
      const { queue: one } = queue();
      one.push(from(1, 1));
      one.push(from(2, 1));
      one.push(from(1, 2));
      while (one.queuedBytes < ROOM - 8_000) one.push(from(3, 1, "x".repeat(4_000)));
      one.push(from(1, 3, "x".repeat(8_000)));
      one.push(from(1, 4));
      const said = words(one.takeFrame());
      assert.equal(said[0], "behind 1/4");
      assert.deepEqual(said.slice(1, 3), ["entry 2/1", "entry 3/1"]);
      assert.equal(said.filter((what) => what.includes(" 1/")).length, 1);
    });

    it("never lowers a head that waits, and makes room for it at the cost of what waits", () => {
      const full = filled();
      full.queue.push(from(1, 7));
      full.queue.push(from(1, 5));
      assert.deepEqual(full.words(), ["behind 1/7", `behind ${FILLER}/1`]);
    });

    it("sends entries again after the behind has left", () => {
      const full = filled();
      full.queue.push(from(1, 7));
      full.words();
      full.queue.push(from(1, 8));
      assert.deepEqual(full.words(), ["entry 1/8"]);
    });

    it("keeps 500 threads apart, whatever the transport holds, and says behind_all for one more", () => {
      const full = filled();
      for (let thread = 1; thread < BEHIND_THREADS; thread++) full.queue.push(from(thread, 1, TOO_LONG));
      assert.equal(full.words().length, BEHIND_THREADS);
      const again = filled();
      for (let thread = 1; thread <= BEHIND_THREADS; thread++) again.queue.push(from(thread, 1, TOO_LONG));
      again.queue.push(from(1, 2));
      assert.deepEqual(again.words(), ["behindAll"]);
    });

    it("covers every entry with a behind_all that waits, and names threads again when it has left", () => {
      const full = filled();
      full.queue.push(changed(1, 5));
      full.queue.push(from(1, 2));
      assert.deepEqual(full.words(), ["behindAll"]);
      full.queue.push(from(1, 3, TOO_LONG));
      assert.deepEqual(full.words(), ["behind 1/3"]);
    });

    it("says behind for the thread of a receipt, and behind_all for a changed row", () => {
      const full = filled();
      full.queue.push(read("ann", 1, 5));
      assert.equal(full.words()[0], "behind 1/0");
      const again = filled();
      again.queue.push(changed(1, 5));
      assert.deepEqual(again.words(), ["behindAll"]);
    });
  });

  it("keeps the newest receipt per thread and user, and the newest row per thread, in place", () => {
    const { queue: one } = queue();
    one.push(read("ann", 1, 1));
    one.push(changed(1, 1));
    one.push(read("bob", 1, 1));
    one.push(read("ann", 2, 1));
    one.push(read("ann", 1, 2));
    one.push(changed(1, 2));
    assert.deepEqual(words(one.takeFrame()), ["receipt 1/2", "changed 1/2", "receipt 1/1", "receipt 2/1"]);
    assert.equal(one.queuedBytes, 0);
  });

  describe("answers", () => {
    it("are refused beyond 256 that wait, so that the stream is ended", () => {
      const { queue: one } = queue();
      for (let count = 0; count < ANSWERS; count++) assert.equal(one.answer(PONG_FRAME), true);
      assert.equal(one.answer(PONG_FRAME), false);
      assert.equal(words(one.takeFrame()).length, ANSWERS);
      assert.equal(one.answer(PONG_FRAME), true);
    });

    it("are refused beyond 16 KiB", () => {
      const { queue: one } = queue();
      assert.equal(one.answer(new Uint8Array(16 * 1024)), true);
      assert.equal(one.answer(PONG_FRAME), false);
    });

    it("make live events give way, which are then missing and said to be", () => {
      const { queue: one, transport } = queue();
      while (one.queuedBytes < ROOM - 3_000) one.push(from(1, 3, "x".repeat(2_000)));
      transport.bufferedBytes = PRESENCE_BYTES + 3_600; // As after a write of answers, while live events had no credit.
      for (let count = 0; count < ANSWERS; count++) {
        assert.equal(one.answer(new Uint8Array(64)), true);
      }
      assert.ok(one.queuedBytes <= QUEUE_BYTES, `${one.queuedBytes}`);
      transport.bufferedBytes = 0;
      assert.equal(one.takeFrame()?.length, ANSWERS * 64 + behindFrame(threadOf(1), 3, 3).length);
    });
  });

  describe("presence", () => {
    it("waits for release and credit, the newest per user, and then leaves: what is told last is what is so", () => {
      const { queue: one } = queue({ held: true });
      one.pushPresence("ann", presence("ann", "online"));
      one.pushPresence("cay", presence("cay", "online"));
      one.pushPresence("ann", presence("ann", "offline"));
      assert.equal(one.takeFrame(), undefined);
      one.release();
      for (let seq = 1; seq <= CREDIT_EVENTS; seq++) one.push(from(1, seq));
      while (words(one.takeFrame()).length > 0);
      assert.equal(one.isReady, false);
      one.ack(1, NOBODY);
      const { events } = fromBinary(ServerFrameSchema, one.takeFrame() ?? new Uint8Array(0));
      one.ack(one.sent, NOBODY);
      events.push(...fromBinary(ServerFrameSchema, one.takeFrame() ?? new Uint8Array(0)).events);
      const told = events.map(
        ({ kind }) => kind.case === "presence" && [kind.value.userId, kind.value.status],
      );
      assert.deepEqual(told, [
        ["ann", PresenceStatus.OFFLINE],
        ["cay", PresenceStatus.ONLINE],
      ]);
      assert.equal(one.isReady, false);
    });

    it("of a user who is no longer watched is not told", () => {
      const { queue: one } = queue();
      one.pushPresence("ann", presence("ann", "online"));
      one.pushPresence("cay", presence("cay", "online"));
      one.keepPresenceOf(new Set(["cay"]));
      assert.equal(one.takeFrame()?.length, presence("cay", "online").length);
    });

    it("has room beside everything else, for as many users as may be watched", () => {
      const full = filled();
      const name = (at: number) => `${at}`.padStart(255, "x");
      for (let at = 0; at < WATCHED_USERS; at++) {
        const frame = presenceFrame(name(at), { status: "offline", lastSeenAtMs: Number.MAX_SAFE_INTEGER });
        assert.ok(frame.length <= PRESENCE_FRAME_BYTES);
        full.queue.pushPresence(name(at), frame);
      }
      assert.ok(full.queue.queuedBytes <= QUEUE_BYTES - ANSWER_BYTES);
      const said: string[] = [];
      while (full.queue.isReady) {
        said.push(...full.words());
        full.queue.ack(full.queue.sent, NOBODY);
      }
      assert.equal(said.filter((what) => what === "presence").length, WATCHED_USERS);
    });
  });

  describe("typing", () => {
    it("leaves in turn, once per thread and user", () => {
      const { queue: one } = queue();
      one.push(typing(1));
      one.push(typing(1));
      one.push(typing(1, "cay"));
      one.push(typing(2));
      assert.equal(words(one.takeFrame()).length, 3);
    });

    it("is dropped, and nothing is said to be missing, without credit, without room, and while it is held", () => {
      const { queue: held } = queue({ held: true });
      held.push(typing(1));
      held.release();
      assert.equal(held.isReady, false);

      const { queue: spent } = queue();
      for (let seq = 1; seq <= CREDIT_EVENTS; seq++) spent.push(from(1, seq));
      spent.push(typing(1));
      while (words(spent.takeFrame()).length > 0);
      spent.ack(spent.sent, NOBODY);
      assert.equal(spent.isReady, false);

      const full = filled();
      full.queue.push(typing(1));
      assert.deepEqual(full.words(), []);

      const { queue: giving, transport } = queue();
      giving.push(typing(5));
      while (giving.queuedBytes < ROOM - 3_000) giving.push(from(1, 3, "x".repeat(2_000)));
      transport.bufferedBytes = PRESENCE_BYTES + 3_600;
      for (let count = 0; count < ANSWERS; count++) giving.answer(new Uint8Array(64));
      transport.bufferedBytes = 0;
      assert.equal(giving.takeFrame()?.length, ANSWERS * 64 + behindFrame(threadOf(1), 3, 3).length);
    });
  });

  describe("while it is held", () => {
    it("lets the backfill out and keeps live events until it is released", () => {
      const { queue: one } = queue({ held: true });
      one.push(from(1, 5));
      assert.equal(one.isReady, false);
      assert.equal(one.offer(threadChangedFrame(row(1, 4))), true);
      assert.deepEqual(words(one.takeFrame()), ["changed 1/4"]);
      assert.equal(one.offer(caughtUpFrame(new Uint8Array(1))), true);
      one.release();
      assert.deepEqual(words(one.takeFrame()), ["caughtUp", "entry 1/5"]);
    });

    it("leaves the backfill room however many live events come", () => {
      const { queue: one } = queue({ held: true });
      for (let seq = 1; seq <= 1_000; seq++) one.push(from(seq % 7, seq, "x".repeat(1_000)));
      assert.equal(one.offer(new Uint8Array(20_000)), true);
      assert.ok(one.queuedBytes <= QUEUE_BYTES);
    });

    it("takes no more backfill than there is credit and room for", () => {
      const { queue: one } = queue({ held: true });
      const rows = () => one.offer(threadChangedFrame(row(1, 1)));
      let taken = 0;
      while (rows()) taken++;
      assert.equal(taken, CREDIT_EVENTS);
      assert.equal(words(one.takeFrame()).length, CREDIT_EVENTS);
      assert.equal(rows(), false);
      one.ack(2, NOBODY);
      assert.deepEqual([rows(), rows(), rows()], [true, true, false]);
      const { queue: other } = queue({ held: true });
      assert.equal(other.offer(new Uint8Array(QUEUE_BYTES)), false);
    });
  });

  it("never fills the transport so far that answers have no room", () => {
    const { queue: one, transport } = queue();
    for (let count = 0; count < 12; count++) one.push(from(1, count, "x".repeat(3_500)));
    for (let count = 0; count < 200; count++) one.answer(new Uint8Array(80));
    const taken = one.takeFrame()?.length ?? 0;
    transport.bufferedBytes = taken;
    assert.ok(taken <= QUEUE_BYTES - 16 * 1024, `${taken}`);
    for (let count = 0; count < 100; count++) one.answer(new Uint8Array(80));
    assert.ok(one.queuedBytes <= QUEUE_BYTES);
  });
});
