import type { HeddleError } from "../../base/heddle-error.ts";
import type { Publication } from "../../base/publication.ts";
import { DrainingReason } from "../../gen/heddle/push/v1/frame_pb.js";
import { TokenBucket } from "../../stream/token-bucket.ts";
import {
  IDLE_FRAMES_BURST,
  IDLE_FRAMES_PER_SECOND,
  OPEN_TIMEOUT_MS,
  PING_INTERVAL_MS,
  SILENCE_MS,
  SUBSCRIBE_WAIT_MS,
  TOKEN_NOTICE_MS,
} from "../limits.ts";
import type { ByteStream } from "../ports.ts";
import type { Position } from "./behind-threads.ts";
import { CatchUp } from "./catch-up.ts";
import { DeliveredMarks } from "./delivered-marks.ts";
import { drainingFrame, openedFrame, PONG_FRAME } from "./events.ts";
import { ackBeyondSent, openTimeout, tooManyFrames, tooSlow } from "./session-errors.ts";
import type { Identity, SessionHost } from "./session-host.ts";
import { SessionQueue } from "./session-queue.ts";
import { TypingThrottle } from "./typing-throttle.ts";

/**
 * Where a session stands (docs/design.md, section 7).
 *
 * `opening`: the stream is here and has not said `open`. Nothing is known but the ticket, nothing is subscribed. It
 * has OPEN_TIMEOUT_MS. A Subscribe stream passes through it at once, since its request is the `open`.
 *
 * `subscribing`: `opened` is sent, and the user's inbox is being subscribed to; then the topics of its groups, in
 * which its membership is read. Live events that come already are held. After SUBSCRIBE_WAIT_MS it goes on without the
 * word; when that comes, the session compares.
 *
 * `backfilling`: Sync since the client's cursor, row by row, as far as credit and room reach. Subscribed before, so
 * that what commits after the snapshot is live, and what committed before is in it. Live events are held.
 *
 * `live`: `caught_up` has been queued, after it what was held, and now events as they come. The session may compare
 * again: a late or renewed subscription runs Sync since the last `caught_up` without holding anything back.
 *
 * `closed`: the stream has ended or is being ended. Nothing goes in or out, and nothing is kept.
 *
 * Draining is no phase but a date: from `draining` on, a session in any phase goes on as before until its client has
 * moved or the date is reached.
 */
export type Phase = "opening" | "subscribing" | "backfilling" | "live" | "closed";

/** One client's stream, from either door: phases, output, deadlines. What the client says comes in from outside. */
export class Session {
  readonly identity: Identity;
  readonly #host: SessionHost<Session>;
  readonly #stream: ByteStream;
  readonly #queue: SessionQueue;
  readonly #catchUp: CatchUp;
  #phase: Phase = "opening";
  #delivered: DeliveredMarks | undefined;
  #idleFrames: TokenBucket | undefined;
  #typing: TypingThrottle | undefined;
  /** When the phase began, monotonic ms. */
  #phaseSinceMs: number;
  #heardAtMs: number;
  #drainsAtMs = Number.POSITIVE_INFINITY;
  #isBlocked = false;
  #isFlushDue = false;
  /** The stream is not read at present, so that silence says nothing. */
  isPaused = false;
  /** Frames of the client without an outcome. */
  owed = 0;
  #isFinishing = false;

  constructor(host: SessionHost<Session>, stream: ByteStream, identity: Identity) {
    this.#host = host;
    this.#stream = stream;
    this.identity = identity;
    const { clock, threads, gate } = host;
    const { userId } = identity;
    this.#queue = new SessionQueue(stream, userId);
    const onProgress = () => this.#flushSoon();
    this.#catchUp = new CatchUp({ clock, threads, gate, queue: this.#queue, userId, onProgress });
    this.#phaseSinceMs = clock.monotonicMs();
    this.#heardAtMs = this.#phaseSinceMs;
    stream.onDrain(() => this.#drained());
    stream.onClose(() => this.#close());
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Everything that waits for this client, in bytes. */
  get queuedBytes(): number {
    return this.#queue.queuedBytes;
  }

  /** `open`, checked: says `opened` and subscribes. */
  open(cursor: Uint8Array): void {
    const { sessionId, userId } = this.identity;
    this.#catchUp.startFrom(cursor);
    this.#enter("subscribing");
    this.answer(openedFrame(sessionId, userId, PING_INTERVAL_MS, this.#host.history));
    const isSubscribed = this.#host.opened(this);
    this.flush();
    if (isSubscribed) this.subscribed();
  }

  /** Publications surely reach this session from now on. What came before may be missed: if it was not, Sync says so. */
  subscribed(): void {
    this.#guard(() => {
      if (this.#phase === "subscribing") this.#startBackfill();
      else this.compare();
    });
  }

  /** Publications may have been missed. A session whose backfill has not begun will find them anyway. */
  compare(): void {
    if (this.#phase === "backfilling" || this.#phase === "live") this.#catchUp.run();
  }

  /** An event for the user, from the channel service. */
  push(event: Publication): void {
    if (this.#phase === "closed") return;
    try {
      this.#queue.push(event);
      this.#flushSoon();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Entries of the thread (hex) up to `head` may have been missed. */
  fallBehind(thread: string, head: Position): void {
    if (this.#phase === "closed") return;
    this.#queue.missed(thread, head);
    this.#flushSoon();
  }

  /** The newest presence of a watched user, encoded. */
  tell(userId: string, frame: Uint8Array): void {
    if (this.#phase === "closed") return;
    this.#queue.pushPresence(userId, frame);
    this.#flushSoon();
  }

  /** Drops receipts and `typing` that wait and may not be told any more. */
  forget(isGone: (event: Publication) => boolean): void {
    this.#queue.forget(isGone);
  }

  /** Any other user that was watched is not any more: nothing that waits of them is told. */
  tellOnlyOf(userIds: ReadonlySet<string>): void {
    this.#queue.keepPresenceOf(userIds);
  }

  /** Replaces the set of watched users. */
  watch(userIds: readonly string[]): void {
    if (this.#phase !== "closed") this.#host.watch(this, userIds);
  }

  /** Whether a `typing` for the thread (hex) gets through. */
  passTyping(thread: string): boolean {
    this.#typing ??= new TypingThrottle();
    return this.#typing.pass(thread, this.#host.clock.monotonicMs());
  }

  /** An event that answers the client. */
  answer(frame: Uint8Array): void {
    if (this.#phase === "closed") return;
    let isQueued = this.#queue.answer(frame);
    if (!isQueued) {
      this.#write(); // Many answers in one tick are no sign of a slow client.
      isQueued = this.#queue.answer(frame);
    }
    if (isQueued) this.#flushSoon();
    else this.end(tooSlow("answers", "more answers wait than a stream holds"));
  }

  /** The client is there. */
  heard(): void {
    this.#heardAtMs = this.#host.clock.monotonicMs();
  }

  pong(): void {
    this.answer(PONG_FRAME);
  }

  /** Takes an `ack`; the error that ends the stream if it is wrong. */
  ack(upTo: bigint | number): HeddleError | undefined {
    const outcome = this.#queue.ack(Number(upTo), this.#covered);
    if (outcome === "stale") return this.spend();
    if (outcome === "advanced") this.#flushSoon();
    return outcome === "beyond" ? ackBeyondSent(this.#queue.sent) : undefined;
  }

  /** Pays for a frame that advances nothing; the error that ends the stream if there were too many. */
  spend(): HeddleError | undefined {
    const nowMs = this.#host.clock.monotonicMs();
    this.#idleFrames ??= new TokenBucket(IDLE_FRAMES_BURST, IDLE_FRAMES_PER_SECOND, nowMs);
    return this.#idleFrames.takeToken(nowMs) ? undefined : tooManyFrames();
  }

  /** Says `draining` and sets the date, ms from now, at which the stream ends. 0: at once. */
  drain(reason: DrainingReason, afterMs: number, jitterMs: number): void {
    if (this.#phase === "closed") return;
    const endsAtMs = this.#host.clock.monotonicMs() + afterMs;
    if (this.#phase !== "opening" && endsAtMs < this.#drainsAtMs) {
      this.answer(drainingFrame(reason, afterMs, jitterMs));
    }
    this.#drainsAtMs = Math.min(this.#drainsAtMs, endsAtMs);
    if (afterMs <= 0) this.end();
  }

  /** Ends the stream after what may still leave: OK, or with an error. */
  end(error?: HeddleError): void {
    if (this.#phase === "closed") return;
    this.#write();
    this.#stream.end(error);
    this.#close();
  }

  /**
   * Ends the stream by what was thrown in its service. Code that acts for this session in a later turn, where nobody else
   * would catch it, hands it here: a fault of one session ends neither the process nor another session.
   */
  fail(error: unknown): void {
    this.#stream.fail(error);
    this.#close();
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.fail(error);
    }
  }

  /** The client says nothing more: the stream ends, OK, when it is live and nothing is owed. */
  finish(): void {
    this.#isFinishing = true;
    this.#flushSoon();
  }

  /** Resolves when what the acks said about delivery has been handed over. */
  handOverDelivered(): Promise<void> {
    return this.#delivered?.flush() ?? Promise.resolve();
  }

  /** Once per tick, if anything has happened. */
  readonly flush = (): void => {
    this.#isFlushDue = false;
    if (this.#phase === "closed") return;
    try {
      void this.#delivered?.flush();
      this.#pump();
      this.#write();
      if (this.#isFinishing && this.owed === 0 && this.#phase === "live" && !this.#queue.isReady) this.end();
    } catch (error) {
      this.fail(error);
    }
  };

  /** Looks after every deadline. Monotonic ms, and Unix ms for what tokens say. */
  sweep(nowMs: number, wallMs: number): void {
    this.#guard(() => this.#sweep(nowMs, wallMs));
  }

  #sweep(nowMs: number, wallMs: number): void {
    if (this.#phase === "opening" && nowMs - this.#phaseSinceMs >= OPEN_TIMEOUT_MS) this.end(openTimeout());
    if (this.#phase === "subscribing" && nowMs - this.#phaseSinceMs >= SUBSCRIBE_WAIT_MS)
      this.#startBackfill();
    if (!this.isPaused && nowMs - this.#heardAtMs >= SILENCE_MS) {
      this.end(tooSlow("silent", "the client was silent for too long"));
    }
    if (nowMs >= this.#drainsAtMs) this.end();
    this.#sweepToken(wallMs);
    this.#catchUp.sweep(nowMs);
    // The transport tells when it has drained, but not when it holds less: look again, should something wait for that.
    if (this.#catchUp.isRunning || this.#queue.isReady) this.#flushSoon();
  }

  #sweepToken(wallMs: number): void {
    const leftMs = this.identity.userTokenExpiresAtMs - wallMs;
    if (leftMs > TOKEN_NOTICE_MS || this.#phase === "opening" || this.#drainsAtMs < Number.POSITIVE_INFINITY)
      return;
    this.drain(DrainingReason.TOKEN_EXPIRED, Math.max(0, leftMs), Math.max(0, leftMs / 2));
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseSinceMs = this.#host.clock.monotonicMs();
  }

  #startBackfill(): void {
    this.#enter("backfilling");
    this.#catchUp.run();
  }

  #pump(): void {
    const outcome = this.#catchUp.pump();
    if (outcome === "going on") return;
    if (outcome !== "done") {
      this.end(outcome);
    } else if (this.#phase === "backfilling") {
      this.#queue.release();
      this.#enter("live");
    }
  }

  #write(): void {
    if (this.#isBlocked) return;
    const before = this.#queue.sent;
    const bytes = this.#queue.takeFrame();
    if (!bytes) return;
    this.#host.wrote(this.#queue.sent - before);
    this.#isBlocked = !this.#stream.write(bytes);
  }

  #drained(): void {
    this.#isBlocked = false;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushDue || this.#phase === "closed") return;
    this.#isFlushDue = true;
    this.#host.flushSoon(this);
  }

  readonly #covered = (thread: string, seq: number): void => {
    const { userId, key } = this.identity;
    this.#delivered ??= new DeliveredMarks(this.#host.messages, userId, key);
    this.#delivered.noteSeq(thread, seq);
  };

  #close(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#catchUp.stop();
    this.#host.ended(this);
  }
}
