import type { Publication } from "../../base/publication.ts";
import {
  ANSWER_BYTES,
  ANSWERS,
  BACKFILL_BYTES,
  BEHIND_BYTES,
  CREDIT_EVENTS,
  PRESENCE_BYTES,
  QUEUE_BYTES,
  TRANSPORT_BYTES,
} from "../limits.ts";
import { BehindThreads, type Position } from "./behind-threads.ts";
import { bytesOf, FrameList, joined } from "./frame-list.ts";
import { type Covered, UnackedEvents } from "./unacked-events.ts";
import { WaitingEvents } from "./waiting-events.ts";
import { WaitingPresence } from "./waiting-presence.ts";

/** The transport's part of what is queued. */
export interface Buffered {
  readonly bufferedBytes: number;
}

/**
 * What waits for one client, and what it has been sent but not acknowledged (docs/design.md, section 4, Credit).
 *
 * Every event gets its number when it leaves for the stream: 1, 2, 3 … in the order in which they stand there. Five
 * kinds of things wait, and leave in this order, a later kind only when nothing of an earlier one is left:
 *
 * - `behind` of some threads, or `behind_all`: no credit, the newest head each, encoded only when they leave;
 * - the backfill (`thread_changed` of Sync, `caught_up`): with credit, taken only while there is credit and room;
 * - answers (accepted, refused, draining, pong, and `opened`): no credit; when more than ANSWERS or ANSWER_BYTES of
 *   them would wait, `answer` returns false and the stream is to be ended;
 * - live events: with credit, and not before the backfill is through (`release`);
 * - presence of watched users: likewise, the newest per user, never dropped: what is shown last was told last.
 *
 * Bytes. ANSWER_BYTES of QUEUE_BYTES are for answers that wait, PRESENCE_BYTES for presence; all else, what the transport has buffered included,
 * fits into the rest when it is taken in. Answers reach the transport only when the first two kinds have left, so
 * whatever the transport holds, these two fit beside it; live events give way to either. So the sum never exceeds
 * QUEUE_BYTES, and only a client that leaves answers unread is cut off. A live event that finds no room, or gives
 * way, is not lost but said to be missing:
 *
 * - an entry: it and the entries of its thread that wait become one `behind` with the highest of their seqs. While
 *   that waits, further entries of the thread only raise its head;
 * - `typing` is simply dropped where it could not leave at once;
 * - a receipt and the one of its thread and user that waits become one, with the higher of each position; without room its thread becomes behind;
 * - a changed row replaces the one of its thread that waits; without room all is behind, as Sync is what brings rows.
 *
 * Why no order of these makes a client believe that it has everything when it has not: an entry that was dropped is
 * covered, from that moment until the client is told, by its thread's waiting `behind` with a head at or above its
 * seq, or by `behind_all`; and neither needs credit. What overtakes on the way says nothing about other entries:
 * `behind` passes live events of other threads, answers pass live events. An entry of the thread that comes before
 * the `behind` cannot, since those that waited were dropped with it; one that comes after it lies above the hole and
 * closes nothing: clients judge by the seqs that they hold without a gap, and keep the highest head they were told.
 * An entry that a pull has brought may come again; clients drop repeats by what they hold. `caught_up` may follow or
 * precede a `behind`: an entry dropped after the snapshot of its Sync is listed again by the next one (section 6), so
 * even a client that stored the cursor and then forgot the `behind` misses nothing.
 */
export class SessionQueue {
  readonly #transport: Buffered;
  readonly #userId: string;
  #isHeld = true;
  #sent = 0;
  #acked = 0;
  // Made when first needed: most sessions are idle, and there are many.
  #answers: FrameList | undefined;
  #backfill: FrameList | undefined;
  #behind: BehindThreads | undefined;
  #live: WaitingEvents | undefined;
  #presence: WaitingPresence | undefined;
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
    return (this.#answers?.bytes ?? 0) + (this.#presence?.bytes ?? 0) + this.#otherBytes;
  }

  get unackedEvents(): number {
    return this.#unacked?.count ?? 0;
  }

  /** Whether something waits that credit does not hold back. */
  get isReady(): boolean {
    if (this.#answers?.count || this.#backfill?.count || this.#isBehind) return true;
    return !this.#isHeld && this.#credit > 0 && Boolean(this.#live?.count || this.#presence?.count);
  }

  /** Lets live events through, after the backfill that has been taken. */
  release(): void {
    this.#isHeld = false;
  }

  /** Queues an answer. False, and nothing queued, if too many wait: the client does not read what it asks for. */
  answer(frame: Uint8Array): boolean {
    this.#answers ??= new FrameList();
    if (this.#answers.count >= ANSWERS || this.#answers.bytes + frame.length > ANSWER_BYTES) return false;
    this.#answers.addFrame(frame);
    if (this.queuedBytes > QUEUE_BYTES) this.#giveWay();
    return true;
  }

  /** Queues an event of the backfill. False, and nothing queued, while there is no room or credit for it. */
  offer(frame: Uint8Array): boolean {
    this.#backfill ??= new FrameList();
    const room = Math.min(this.#room, BACKFILL_BYTES - this.#backfill.bytes);
    if (this.#credit <= this.#backfill.count || frame.length > room) return false;
    this.#backfill.addFrame(frame);
    return true;
  }

  /** Queues a live event, or notes what it leaves missing. */
  push(event: Publication): void {
    if (event.kind === "entry") this.#pushEntry(event);
    else if (event.kind === "typing") this.#pushTyping(event);
    else this.#pushNewest(event);
  }

  /** Entries of the thread (hex) up to `head` may not have been pushed, and never will be. */
  missed(thread: string, head: Position): void {
    this.#noteHead(thread, head);
    for (const entry of this.#live?.removeEntries(thread) ?? []) this.#noteMissing(entry);
    if (this.#room < 0) this.#giveWay();
  }

  /** Queues the newest presence of a watched user, encoded. */
  pushPresence(userId: string, frame: Uint8Array): void {
    this.#presence ??= new WaitingPresence();
    this.#presence.setFrame(userId, frame);
    if (this.queuedBytes > QUEUE_BYTES) this.#giveWay();
  }

  /** Drops what waits and may not be told any more: receipts and `typing`, which leave nothing missing. */
  forget(isGone: (event: Publication) => boolean): void {
    this.#live?.removeEvents(
      (event) => (event.kind === "receipt" || event.kind === "typing") && isGone(event),
    );
  }

  /** Drops the presence that waits of everybody else. */
  keepPresenceOf(userIds: ReadonlySet<string>): void {
    this.#presence?.keepOnly(userIds);
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
  takeFrame(): Uint8Array | undefined {
    const frames: Uint8Array[] = [];
    this.#takeInto(frames);
    return frames.length > 1 ? joined(frames) : frames[0];
  }

  #takeInto(frames: Uint8Array[]): void {
    let spare = TRANSPORT_BYTES - this.#transport.bufferedBytes;
    spare -= this.#takeBehind(frames, spare);
    if (this.#isBehind) return;
    spare -= this.#takeBackfill(frames, spare);
    if (this.#backfill?.count) return;
    spare -= this.#takeAnswers(frames, spare);
    if (this.#isHeld || this.#answers?.count) return;
    this.#takeLive(frames, spare);
  }

  /** Whether there is something to tell the client that it misses. */
  get #isBehind(): boolean {
    return this.#behind?.isEmpty === false;
  }

  get #credit(): number {
    return CREDIT_EVENTS - this.unackedEvents;
  }

  /** All that waits but answers and presence, which have room of their own. */
  get #otherBytes(): number {
    const missing = this.#behind?.bytes ?? 0;
    return missing + (this.#backfill?.bytes ?? 0) + (this.#live?.bytes ?? 0) + this.#transport.bufferedBytes;
  }

  get #room(): number {
    // BEHIND_BYTES for a `behind_all`.
    return QUEUE_BYTES - ANSWER_BYTES - PRESENCE_BYTES - BEHIND_BYTES - this.#otherBytes;
  }

  /** The largest live event that can be taken in. While they are held, they leave room for the backfill. */
  get #liveRoom(): number {
    const kept = this.#isHeld ? BACKFILL_BYTES - (this.#backfill?.bytes ?? 0) : 0;
    return Math.min(this.#room - kept, TRANSPORT_BYTES);
  }

  #pushEntry(entry: Publication): void {
    if (this.#behind?.has(entry.thread)) this.#behind.noteThread(entry.thread, entry);
    else if (entry.frame.length <= this.#liveRoom) this.#wait(entry);
    else this.#fallBehind(entry);
  }

  #pushNewest(event: Publication): void {
    const growth = this.#live?.growth(event);
    if ((growth ?? event.frame.length) > Math.max(0, this.#liveRoom)) this.#fallBehind(event);
    else if (growth === undefined) this.#wait(event);
    else this.#live?.replace(event);
  }

  #pushTyping(event: Publication): void {
    const isReplaced = this.#live?.growth(event) !== undefined;
    if (this.#isHeld || isReplaced || this.#credit <= (this.#live?.count ?? 0)) return;
    if (event.frame.length <= this.#liveRoom) this.#wait(event);
  }

  #wait(event: Publication): void {
    this.#live ??= new WaitingEvents();
    this.#live.addEvent(event);
  }

  /** What waits of the thread's entries goes too: it makes room, and the pull brings them anyway. */
  #fallBehind(event: Publication): void {
    this.#noteMissing(event);
    for (const entry of this.#live?.removeEntries(event.thread) ?? []) this.#noteMissing(entry);
    if (this.#room < 0) this.#giveWay();
  }

  /** Live events make room for answers and for what is said to be missing. */
  #giveWay(): void {
    for (const event of this.#live?.removeAll() ?? []) this.#noteMissing(event);
    if (this.#room < 0) this.#behind?.noteAll();
  }

  #noteMissing(event: Publication): void {
    if (event.kind === "typing") return;
    this.#behind ??= new BehindThreads();
    if (event.kind === "thread_changed") this.#behind.noteAll();
    else this.#behind.noteThread(event.thread, event);
  }

  #noteHead(thread: string, head: Position): void {
    this.#behind ??= new BehindThreads();
    this.#behind.noteThread(thread, head);
  }

  #takeBehind(frames: Uint8Array[], spare: number): number {
    const bytes = this.#behind?.takeInto(frames, spare) ?? 0;
    this.#sent += frames.length;
    return bytes;
  }

  #takeBackfill(frames: Uint8Array[], spare: number): number {
    const leaving = this.#backfill?.takeFrames(spare) ?? [];
    for (const frame of leaving) this.#depart(frames, frame, "", 0);
    return bytesOf(leaving);
  }

  #takeAnswers(frames: Uint8Array[], spare: number): number {
    const leaving = this.#answers?.takeFrames(spare) ?? [];
    for (const frame of leaving) frames.push(frame);
    this.#sent += leaving.length;
    return bytesOf(leaving);
  }

  #takeLive(frames: Uint8Array[], spare: number): void {
    let left = spare;
    for (const event of this.#live?.takeEvents(this.#credit, spare) ?? []) {
      left -= event.frame.length;
      const isDelivery = event.kind === "entry" && event.userId !== this.#userId;
      this.#depart(frames, event.frame, isDelivery ? event.thread : "", event.seq);
    }
    if (this.#live?.count) return;
    for (const frame of this.#presence?.takeFrames(this.#credit, left) ?? [])
      this.#depart(frames, frame, "", 0);
  }

  #depart(frames: Uint8Array[], frame: Uint8Array, thread: string, seq: number): void {
    frames.push(frame);
    this.#unacked ??= new UnackedEvents();
    this.#unacked.add(++this.#sent, thread, seq);
  }
}
