import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { hex } from "../../base/ids.ts";
import { PresenceStatus } from "../../gen/heddle/presence/v1/presence_pb.js";
import { type Event, ServerFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { entry, receipt, row, threadOf } from "../../testing/worlds/push/push-world.ts";
import { acceptedFrame, threadChangedFrame } from "../../wire/event-frames.ts";
import { CREDIT_EVENTS, QUEUE_BYTES, WATCHED_USERS } from "../limits.ts";
import { caughtUpFrame, presenceFrame } from "./events.ts";
import { SessionQueue } from "./session-queue.ts";

/** What may happen, in any order. Sizes and counts are drawn, so that every bound is met. */
type Step =
  | { readonly do: "publish"; readonly thread: number; readonly text: number; readonly late: boolean }
  | { readonly do: "publish-many"; readonly threads: number }
  | { readonly do: "publish-receipt"; readonly thread: number }
  | { readonly do: "tell"; readonly user: number; readonly isOnline: boolean }
  | { readonly do: "type"; readonly thread: number }
  | { readonly do: "answer"; readonly count: number }
  | { readonly do: "backfill" }
  | { readonly do: "caught-up" }
  | { readonly do: "flush" }
  | { readonly do: "leave"; readonly writes: number }
  | { readonly do: "pull" }
  | { readonly do: "ack" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      thread: fc.integer({ min: 0, max: 5 }),
      text: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 32_768 })),
      late: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("publish-many" as const),
      threads: fc.integer({ min: 1, max: 900 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("publish-receipt" as const),
      thread: fc.integer({ min: 0, max: 5 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("tell" as const),
      user: fc.integer({ min: 0, max: WATCHED_USERS - 1 }),
      isOnline: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("type" as const), thread: fc.integer({ min: 0, max: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("answer" as const), count: fc.integer({ min: 1, max: 200 }) }),
  },
  { weight: 3, arbitrary: fc.constant({ do: "backfill" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "caught-up" as const }) },
  { weight: 6, arbitrary: fc.constant({ do: "flush" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("leave" as const), writes: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 3, arbitrary: fc.constant({ do: "pull" as const }) },
  { weight: 3, arbitrary: fc.constant({ do: "ack" as const }) },
);

const ACCEPTED = acceptedFrame({
  threadId: new Uint8Array(16),
  clientId: new Uint8Array(16),
  seq: 1,
  createdAtMs: 1_700_000_000_000,
  duplicate: false,
  recipientOffline: true,
});

/** How often the runs met what they are for. */
const met = { behind: 0, behindAll: 0, outOfCredit: 0, refusedAnswers: 0, refusedRows: 0, repeats: 0 };

/** The log of all threads, a queue, a transport with a window, and a client that follows what it is told. */
class World {
  readonly heads = new Map<string, number>();
  readonly #buffer: Uint8Array[] = [];
  readonly queue = new SessionQueue(this, "bob");
  /** What the client holds, and how far it was told that threads reach. */
  readonly #held = new Map<string, Set<number>>();
  readonly #told = new Map<string, number>();
  /** What is so, and what the client was told last, by user. */
  readonly #there = new Map<string, PresenceStatus>();
  readonly #shown = new Map<string, PresenceStatus>();
  readonly #sentEntries = new Set<string>();
  #received = 0;
  #caughtUp = false;

  get bufferedBytes(): number {
    return this.#buffer.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  act(what: Step): void {
    if (what.do === "publish") this.publish(what.thread, what.text, what.late);
    else if (what.do === "publish-many") this.#publishMany(what.threads);
    else if (what.do === "publish-receipt") this.#publishReceipt(what.thread);
    else if (what.do === "tell") this.#tellPresence(what.user, what.isOnline);
    else if (what.do === "type") this.#type(what.thread);
    else if (what.do === "answer") this.#answer(what.count);
    else if (what.do === "backfill") this.#offerRows();
    else if (what.do === "caught-up") this.#catchUp();
    else if (what.do === "flush") this.flush();
    else if (what.do === "leave") this.leave(what.writes);
    else if (what.do === "pull") this.pull();
    else this.ack();
  }

  #publishMany(threads: number): void {
    for (let thread = 0; thread < threads; thread++) this.publish(100 + thread, 10, false);
  }

  #publishReceipt(number: number): void {
    const thread = threadOf(number);
    this.queue.push(receipt({ thread, userId: "ann", to: "bob", readSeq: this.heads.get(thread) ?? 0 }));
  }

  /** A user, and with it ninety others, comes or goes: as when an instance has learned. */
  #tellPresence(from: number, isOnline: boolean): void {
    for (let user = from; user < WATCHED_USERS; user++) {
      const userId = `${user}`.padStart(64, "u");
      const status = isOnline ? ("online" as const) : ("offline" as const);
      this.#there.set(userId, isOnline ? PresenceStatus.ONLINE : PresenceStatus.OFFLINE);
      this.queue.pushPresence(userId, presenceFrame(userId, { status, lastSeenAtMs: 1_700_000_000_000 }));
    }
  }

  #type(number: number): void {
    const made = receipt({ thread: threadOf(number), userId: "ann", to: "bob", readSeq: 1 });
    this.queue.push({ ...made, kind: "typing" });
  }

  #answer(count: number): void {
    for (let answer = 0; answer < count; answer++) if (!this.queue.answer(ACCEPTED)) met.refusedAnswers++;
  }

  /** An entry is committed and published; or, late, two are, and published the other way round. */
  publish(number: number, text: number, late: boolean): void {
    const thread = threadOf(number);
    const seq = (this.heads.get(thread) ?? 0) + 1;
    const made = (at: number) => entry({ thread, seq: at, from: "ann", to: "bob", text: "x".repeat(text) });
    this.heads.set(thread, late ? seq + 1 : seq);
    if (late) this.queue.push(made(seq + 1));
    this.queue.push(made(seq));
  }

  #offerRows(): void {
    for (let number = 0; number < 6; number++) {
      const head = this.heads.get(threadOf(number)) ?? 0;
      if (!this.queue.offer(threadChangedFrame(row(number, head)))) met.refusedRows++;
    }
  }

  #catchUp(): void {
    if (this.#caughtUp || !this.queue.offer(caughtUpFrame(Uint8Array.of(1)))) return;
    this.#caughtUp = true;
    this.queue.release();
  }

  flush(): void {
    const before = this.queue.sent;
    const bytes = this.queue.takeFrame();
    if (!bytes) return;
    const { events } = fromBinary(ServerFrameSchema, bytes);
    assert.equal(this.queue.sent - before, events.length, "one number an event");
    for (const { kind } of events) if (kind.case === "entry") this.#sentOnce(kind.value);
    this.#buffer.push(bytes);
  }

  #sentOnce({ threadId, seq }: { readonly threadId: Uint8Array; readonly seq: bigint }): void {
    const name = `${hex(threadId)} ${seq}`;
    assert.ok(!this.#sentEntries.has(name), "no entry is sent twice");
    this.#sentEntries.add(name);
  }

  leave(writes: number): void {
    for (const bytes of this.#buffer.splice(0, writes)) {
      for (const event of fromBinary(ServerFrameSchema, bytes).events) this.#receive(event);
    }
  }

  #receive({ kind }: Event): void {
    this.#received++;
    if (kind.case === "entry") {
      const thread = hex(kind.value.threadId);
      const held = this.#heldOf(thread);
      if (held.has(Number(kind.value.seq))) met.repeats++;
      held.add(Number(kind.value.seq));
      this.#tell(thread, Number(kind.value.seq));
    } else if (kind.case === "behind" || kind.case === "threadChanged") {
      if (kind.case === "behind") met.behind++;
      this.#tell(hex(kind.value.threadId), Number(kind.value.head?.seq ?? 0));
    } else if (kind.case === "presence") {
      this.#shown.set(kind.value.userId, kind.value.status);
    } else if (kind.case === "behindAll") {
      met.behindAll++;
      for (const [thread, head] of this.heads) this.#tell(thread, head);
    }
  }

  #tell(thread: string, seq: number): void {
    this.#told.set(thread, Math.max(seq, this.#told.get(thread) ?? 0));
  }

  #heldOf(thread: string): Set<number> {
    const held = this.#held.get(thread) ?? new Set();
    this.#held.set(thread, held);
    return held;
  }

  /** The client pulls exactly what it knows to be missing. */
  pull(): void {
    for (const [thread, told] of this.#told) {
      const held = this.#heldOf(thread);
      for (let seq = 1; seq <= told; seq++) held.add(seq);
    }
  }

  ack(): void {
    this.queue.ack(this.#received, () => {});
  }

  checkBounds(): void {
    assert.ok(this.queue.queuedBytes <= QUEUE_BYTES, `${this.queue.queuedBytes} bytes queued`);
    assert.ok(this.queue.unackedEvents <= CREDIT_EVENTS, `${this.queue.unackedEvents} events unacknowledged`);
    if (this.queue.unackedEvents === CREDIT_EVENTS) met.outOfCredit++;
  }

  /** Nothing more is published, and the client reads, acknowledges and pulls until it is quiet. */
  finish(): void {
    for (let turn = 0; turn < 2_000; turn++) {
      this.#catchUp();
      this.flush();
      this.leave(Number.POSITIVE_INFINITY);
      this.ack();
      this.pull();
      if (this.#caughtUp && !this.queue.isReady && this.queue.queuedBytes === 0) return;
    }
    assert.fail("the stream never became quiet");
  }

  checkComplete(): void {
    assert.deepEqual(this.#shown, this.#there, "what was shown last of users is what is so");
    for (const [thread, head] of this.heads) {
      assert.equal(this.#heldOf(thread).size, head, `thread ${thread}: silent hole below ${head}`);
    }
  }
}

describe("SessionQueue, whatever happens in whatever order", () => {
  it("stays within its bounds, and a client that follows what it is told ends with every entry", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120, size: "max" }), (steps) => {
        const world = new World();
        for (const one of steps) {
          world.act(one);
          world.checkBounds();
        }
        world.finish();
        world.checkComplete();
      }),
      { numRuns: 300 },
    );
    for (const [what, times] of Object.entries(met)) assert.ok(times > 0, `no run met ${what}`);
  }).timeout(60_000);
});
