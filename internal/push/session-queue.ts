import type { Publication } from "../base/publication.ts";
import { BehindThreads } from "./behind-threads.ts";
import { ANSWER_BYTES, ANSWERS, BACKFILL_BYTES, BEHIND_BYTES, CREDIT_EVENTS, QUEUE_BYTES } from "./limits.ts";
import { type Covered, UnackedEvents } from "./unacked-events.ts";
import { WaitingEvents } from "./waiting-events.ts";

/** The transport's part of what is queued. */
export interface Buffered {
  readonly bufferedBytes: number;
}

/**
 * What waits for one client, and what it has been sent but not acknowledged (docs/design.md, section 4, Credit).
 *
 * Every event gets its number when it leaves for the stream: 1, 2, 3 … in the order in which they stand there. Four
 * kinds of things wait, and leave in this order:
 *
 * - `behind` of some threads, or `behind_all`: no credit, the newest head each, encoded only when they leave;
 * - the backfill (`thread_changed` of Sync, `caught_up`): with credit, taken only while there is room;
 * - answers (accepted, refused, draining, pong, and `opened`): no credit; when more than ANSWERS or ANSWER_BYTES of
 *   them would wait, `answer` returns false and the stream is to be ended;
 * - live events: with credit, and not before the backfill is through (`release`).
 *
 * Bytes. ANSWER_BYTES of QUEUE_BYTES are for answers that wait. All else, what the transport has buffered included,
 * shares the rest when it is queued, and `take` never fills the transport beyond that rest. The first two kinds always
 * leave whole with the next `take`, so only live events can be in the way of an answer; then they give way. So the sum
 * never exceeds QUEUE_BYTES, and only a client that leaves answers unread is cut off. A live event without room is not
 * lost but said to be missing:
 *
 * - an entry: it and the entries of its thread that wait become one `behind` with the highest of their seqs. While
 *   that waits, further entries of the thread only raise its head;
 * - a receipt replaces the one of its thread and user that waits; without room its thread becomes behind;
 * - a changed row replaces the one of its thread that waits; without room all is behind, as Sync is what brings rows.
 *
 * Why no order of these makes a client believe that it has everything when it has not: an entry that was dropped is
 * covered, from that moment until the client is told, by its thread's waiting `behind` with a head at or above its
 * seq, or by `behind_all`. Both leave, whatever the credit, before every live event that waits, so what is sent later
 * is received knowing of the hole. What overtakes on the way says nothing about other entries: `behind` passes live
 * events of other threads, answers pass live events. An entry after its thread's `behind` lies above the hole and
 * closes nothing: clients judge by the seqs that they hold without a gap, and keep the highest head they were told.
 * An entry that a pull has brought may come again; clients drop repeats by what they hold. `caught_up` may follow or
 * precede a `behind`: an entry dropped after the snapshot of its Sync is listed again by the next one (section 6), so
 * even a client that stored the cursor and then forgot the `behind` misses nothing.
 */
export class SessionQueue {
  readonly #transport: Buffered;
  readonly #userId: string;
  #answers: Uint8Array[] = [];
  #answerBytes = 0;
  #backfill: Uint8Array[] = [];
  #backfillBytes = 0;
  #isHeld = true;
  #sent = 0;
  #acked = 0;
  // Made when first needed: most sessions are idle, and there are many.
  #behind: BehindThreads | undefined;
  #live: WaitingEvents | undefined;
  #unacked: UnackedEvents | undefined;

  /** `userId` is whose session it is: entries of their own are not delivered to them. Held until `release`. */
  constructor(transport: Buffered, userId: string) {
    this.#transport = transport;
    this.#userId = userId;
  }

  /** The number of the last event that left. */
  get sent(): number {
    return this.#sent;
  }

  /** Everything that waits for this stream, in bytes, the transport's part included. At most QUEUE_BYTES. */
  get queuedBytes(): number {
    return this.#answerBytes + this.#otherBytes;
  }

  get unackedEvents(): number {
    return this.#unacked?.count ?? 0;
  }

  /** Whether something waits that credit does not hold back. */
  get isReady(): boolean {
    if (this.#answers.length > 0 || this.#backfill.length > 0 || this.#behind?.isEmpty === false) return true;
    return !this.#isHeld && this.#credit > 0 && (this.#live?.count ?? 0) > 0;
  }

  /** Lets live events through, after the backfill that has been taken. */
  release(): void {
    this.#isHeld = false;
  }

  /** Queues an answer. False, and nothing queued, if too many wait: the client does not read what it asks for. */
  answer(frame: Uint8Array): boolean {
    const bytes = this.#answerBytes + frame.length;
    if (this.#answers.length >= ANSWERS || bytes > ANSWER_BYTES) return false;
    this.#answers.push(frame);
    this.#answerBytes = bytes;
    if (this.queuedBytes > QUEUE_BYTES) this.#giveWay();
    return true;
  }

  /** Queues an event of the backfill. False, and nothing queued, while there is no room or credit for it. */
  offer(frame: Uint8Array): boolean {
    if (this.#credit <= this.#backfill.length || frame.length > this.#room) return false;
    this.#backfill.push(frame);
    this.#backfillBytes += frame.length;
    return true;
  }

  /** Queues a live event, or notes what it leaves missing. */
  push(event: Publication): void {
    if (event.kind === "entry") this.#pushEntry(event);
    else this.#pushNewest(event);
  }

  /**
   * Returns credit. "stale": nothing new. "beyond": names an event that was never sent; nothing changed. `covered` is
   * called for each entry of somebody else's that this acknowledges.
   */
  ack(upTo: number, covered: Covered): "advanced" | "stale" | "beyond" {
    if (upTo > this.#sent) return "beyond";
    if (upTo <= this.#acked) return "stale";
    this.#acked = upTo;
    this.#unacked?.ack(upTo, covered);
    return "advanced";
  }

  /**
   * What may leave now, joined into one ServerFrame and numbered; undefined if nothing may. The bytes of a single
   * event are the shared ones.
   */
  take(): Uint8Array | undefined {
    const frames: Uint8Array[] = [];
    let spare = QUEUE_BYTES - ANSWER_BYTES - this.#transport.bufferedBytes;
    spare -= (this.#behind?.bytes ?? 0) + this.#backfillBytes;
    this.#behind?.takeInto(frames);
    this.#sent += frames.length;
    for (const frame of this.#backfill) this.#depart(frames, frame, "", 0);
    this.#backfill = [];
    this.#backfillBytes = 0;
    spare -= this.#takeAnswers(frames, spare);
    if (!this.#isHeld) this.#takeLive(frames, spare);
    return frames.length > 1 ? joined(frames) : frames[0];
  }

  get #credit(): number {
    return CREDIT_EVENTS - this.unackedEvents;
  }

  /** All that waits but answers. */
  get #otherBytes(): number {
    const waiting = this.#backfillBytes + (this.#behind?.bytes ?? 0) + (this.#live?.bytes ?? 0);
    return waiting + this.#transport.bufferedBytes;
  }

  get #room(): number {
    return QUEUE_BYTES - ANSWER_BYTES - BEHIND_BYTES - this.#otherBytes; // The last for a `behind_all`.
  }

  get #liveRoom(): number {
    return this.#isHeld ? this.#room - BACKFILL_BYTES : this.#room;
  }

  #pushEntry(entry: Publication): void {
    if (this.#behind?.has(entry.thread)) this.#behind.note(entry.thread, entry);
    else if (entry.frame.length <= this.#liveRoom) this.#wait(entry);
    else this.#fallBehind(entry);
  }

  #pushNewest(event: Publication): void {
    const growth = this.#live?.growth(event);
    if ((growth ?? event.frame.length) > Math.max(0, this.#liveRoom)) this.#fallBehind(event);
    else if (growth === undefined) this.#wait(event);
    else this.#live?.replace(event);
  }

  #wait(event: Publication): void {
    this.#live ??= new WaitingEvents();
    this.#live.add(event);
  }

  /** What waits of the thread's entries goes too: it makes room, and the pull brings them anyway. */
  #fallBehind(event: Publication): void {
    this.#noteMissing(event);
    for (const entry of this.#live?.removeEntries(event.thread) ?? []) this.#noteMissing(entry);
    if (this.#room < 0) this.#behind?.noteAll();
  }

  /** Live events make room for an answer. */
  #giveWay(): void {
    for (const event of this.#live?.removeAll() ?? []) this.#noteMissing(event);
    if (this.#room < 0) this.#behind?.noteAll();
  }

  #noteMissing(event: Publication): void {
    this.#behind ??= new BehindThreads();
    if (event.kind === "thread_changed") this.#behind.noteAll();
    else this.#behind.note(event.thread, event);
  }

  #takeAnswers(frames: Uint8Array[], spare: number): number {
    let bytes = 0;
    let count = 0;
    for (const frame of this.#answers) {
      if (bytes + frame.length > spare) break;
      frames.push(frame);
      bytes += frame.length;
      count++;
    }
    this.#answers = count === this.#answers.length ? [] : this.#answers.slice(count);
    this.#answerBytes -= bytes;
    this.#sent += count;
    return bytes;
  }

  #takeLive(frames: Uint8Array[], spare: number): void {
    for (const event of this.#live?.take(this.#credit, spare) ?? []) {
      const isDelivery = event.kind === "entry" && event.userId !== this.#userId;
      this.#depart(frames, event.frame, isDelivery ? event.thread : "", event.seq);
    }
  }

  #depart(frames: Uint8Array[], frame: Uint8Array, thread: string, seq: number): void {
    frames.push(frame);
    this.#unacked ??= new UnackedEvents();
    this.#unacked.add(++this.#sent, thread, seq);
  }
}

function joined(frames: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const frame of frames) length += frame.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}
