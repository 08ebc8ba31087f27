import type { Clock } from "../base/clock.ts";
import type { HeddleError } from "../base/heddle-error.ts";
import type { Publication } from "../base/publication.ts";
import { DrainingReason } from "../gen/heddle/push/v1/frame_pb.js";
import { TokenBucket } from "../stream/token-bucket.ts";
import { Backfill } from "./backfill.ts";
import { DeliveredMarks } from "./delivered-marks.ts";
import { drainingFrame, openedFrame, PONG_FRAME } from "./events.ts";
import {
  IDLE_FRAMES_BURST,
  IDLE_FRAMES_PER_SECOND,
  OPEN_TIMEOUT_MS,
  PING_INTERVAL_MS,
  SILENCE_MS,
  SUBSCRIBE_WAIT_MS,
  TOKEN_NOTICE_MS,
} from "./limits.ts";
import type { ByteStream, Messages, Threads } from "./ports.ts";
import { ackBeyondSent, openTimeout, tooManyFrames, tooSlow } from "./session-errors.ts";
import { SessionQueue } from "./session-queue.ts";
import type { SyncGate } from "./sync-gate.ts";

/** Whose session it is, from the ticket. */
export interface Identity {
  readonly userId: string;
  readonly deviceId: string;
  /** 16 bytes. */
  readonly sessionId: Uint8Array;
  /** session_id in hex, as publications name it. */
  readonly key: string;
  /** When the user token behind the ticket ends, in Unix milliseconds. */
  readonly userTokenExpiresAtMs: number;
}

/** The push server, as a session needs it. */
export interface SessionHost {
  readonly clock: Clock;
  readonly messages: Messages;
  readonly threads: Threads;
  readonly gate: SyncGate;
  /** Calls `flush` once, in the next tick. */
  flushSoon(session: Session): void;
  /** The session has said `opened`: publications for its user are to reach it. True if they surely do already. */
  opened(session: Session): boolean;
  /** The session is over, however it ended. Called once. */
  ended(session: Session): void;
  /** Events have left for a client, in one write. */
  wrote(events: number): void;
}

/**
 * Where a session stands (docs/design.md, section 7).
 *
 * `opening`: the stream is here and has not said `open`. Nothing is known but the ticket, nothing is subscribed. It
 * has OPEN_TIMEOUT_MS. A Subscribe stream passes through it at once, since its request is the `open`.
 *
 * `subscribing`: `opened` is sent, and the user's inbox is being subscribed to. Live events that come already are
 * held. After SUBSCRIBE_WAIT_MS it goes on without the word; when that comes, the session compares.
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
  readonly #host: SessionHost;
  readonly #stream: ByteStream;
  readonly #queue: SessionQueue;
  #phase: Phase = "opening";
  #cursor: Uint8Array = new Uint8Array(0);
  #backfill: Backfill | undefined;
  #compareAgain = false;
  #delivered: DeliveredMarks | undefined;
  #idleFrames: TokenBucket | undefined;
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

  constructor(host: SessionHost, stream: ByteStream, identity: Identity) {
    this.#host = host;
    this.#stream = stream;
    this.identity = identity;
    this.#queue = new SessionQueue(stream, identity.userId);
    this.#phaseSinceMs = host.clock.monotonicMs();
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
    this.#cursor = cursor;
    this.#enter("subscribing");
    this.answer(openedFrame(sessionId, userId, PING_INTERVAL_MS));
    const isSubscribed = this.#host.opened(this);
    this.flush();
    if (isSubscribed) this.subscribed();
  }

  /** Publications for the user surely reach this session from now on. */
  subscribed(): void {
    if (this.#phase === "subscribing") this.#startBackfill();
    else this.compare();
  }

  /** Events may have been missed: Sync again, from the last `caught_up`. */
  compare(): void {
    if (this.#phase !== "backfilling" && this.#phase !== "live") return;
    if (this.#backfill) this.#compareAgain = true;
    else this.#backfill = this.#newBackfill();
  }

  /** An event for the user, from the channel service. */
  push(event: Publication): void {
    if (this.#phase === "closed") return;
    this.#queue.push(event);
    this.#flushSoon();
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
  ack(upTo: bigint): HeddleError | undefined {
    const outcome = this.#queue.ack(Number(upTo), this.#covered);
    if (outcome === "stale") return this.spend();
    if (outcome === "advanced") this.#flushSoon();
    return outcome === "beyond" ? ackBeyondSent(this.#queue.sent) : undefined;
  }

  /** Pays for a frame that advances nothing; the error that ends the stream if there were too many. */
  spend(): HeddleError | undefined {
    const nowMs = this.#host.clock.monotonicMs();
    this.#idleFrames ??= new TokenBucket(IDLE_FRAMES_BURST, IDLE_FRAMES_PER_SECOND, nowMs);
    return this.#idleFrames.take(nowMs) ? undefined : tooManyFrames();
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
    void this.#delivered?.flush();
    this.#pumpBackfill();
    this.#write();
    if (this.#isFinishing && this.owed === 0 && this.#phase === "live" && !this.#queue.isReady) this.end();
  };

  /** Looks after every deadline. Monotonic ms, and Unix ms for what tokens say. */
  sweep(nowMs: number, wallMs: number): void {
    if (this.#phase === "opening" && nowMs - this.#phaseSinceMs >= OPEN_TIMEOUT_MS) this.end(openTimeout());
    if (this.#phase === "subscribing" && nowMs - this.#phaseSinceMs >= SUBSCRIBE_WAIT_MS)
      this.#startBackfill();
    if (!this.isPaused && nowMs - this.#heardAtMs >= SILENCE_MS) {
      this.end(tooSlow("silent", "the client was silent for too long"));
    }
    if (nowMs >= this.#drainsAtMs) this.end();
    this.#sweepToken(wallMs);
    this.#backfill?.sweep(nowMs);
    // The transport tells when it has drained, but not when it holds less: look again, should something wait for that.
    if (this.#backfill || this.#queue.isReady) this.#flushSoon();
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
    this.#backfill = this.#newBackfill();
  }

  #newBackfill(): Backfill {
    const { clock, threads, gate } = this.#host;
    const onProgress = () => this.#flushSoon();
    const { userId } = this.identity;
    return new Backfill({
      clock,
      threads,
      gate,
      queue: this.#queue,
      userId,
      cursor: this.#cursor,
      onProgress,
    });
  }

  #pumpBackfill(): void {
    const backfill = this.#backfill;
    if (!backfill) return;
    backfill.pump();
    if (backfill.failure) this.end(backfill.failure);
    if (!backfill.caughtUpAt) return;
    this.#cursor = backfill.caughtUpAt;
    this.#backfill = undefined;
    this.#queue.release();
    this.#enter("live");
    if (!this.#compareAgain) return;
    this.#compareAgain = false;
    this.compare();
  }

  #write(): void {
    if (this.#isBlocked) return;
    const before = this.#queue.sent;
    const bytes = this.#queue.take();
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
    this.#delivered.note(thread, seq);
  };

  #close(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#backfill?.stop();
    this.#host.ended(this);
  }
}
