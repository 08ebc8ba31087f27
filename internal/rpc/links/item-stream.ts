import type { Clock } from "../../base/clock.ts";
import type { Tick } from "../../stream/each-tick.ts";
import { FRAME_BYTES, ITEM_BYTES, KEEPALIVE_MS, type LinkLimits, PART_BYTES, WHOLE_BYTES } from "./limits.ts";
import { decodeFrame, encodeFrame, type LinkItem } from "./link-frames.ts";
import type { LinkStream } from "./link-stream.ts";

/** A turn that comes so much later than it was due, in ms, says that the process was paused. */
const LATE_MS = 1_000;

/** What both ends of a link need. */
export interface LinkContext {
  readonly clock: Clock;
  /** When what was queued is written: once per turn of the event loop. */
  readonly tick: Tick;
  readonly limits: LinkLimits;
}

/** What an end of a link does with what comes. */
export interface ItemHandlers {
  /** A whole item; its body is in memory of its own. A throw closes the link. */
  item(item: LinkItem): void;
  /** What was queued has gone down to half of its bound. */
  drained(): void;
  /** Called once, with why as far as it is known here. */
  closed(reason: Error): void;
}

/**
 * Items over a LinkStream: batched into frames once a tick, large bodies in parts and put together again, signs of
 * life both ways, a bound in bytes on what waits. Nothing is skipped: what cannot be taken closes the link, and so does
 * whatever is no frame. Never throws.
 */
export class ItemStream {
  readonly #stream: LinkStream;
  readonly #context: LinkContext;
  readonly #handlers: ItemHandlers;
  #queue: LinkItem[] = [];
  #queuedBytes = 0;
  /** How much of the first queued body was written. */
  #writtenBytes = 0;
  #isScheduled = false;
  #isStreamFull = false;
  #wasFull = false;
  #isHeld = false;
  #isClosed = false;
  /** The parts of the body that has begun to arrive. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  /** By the monotonic clock. */
  #heardAtMs: number;
  #turnDueMs = 0;
  #cancelKeepalive = () => {};

  constructor(stream: LinkStream, context: LinkContext, handlers: ItemHandlers) {
    this.#stream = stream;
    this.#context = context;
    this.#handlers = handlers;
    stream.onDrain(() => {
      this.#isStreamFull = false;
      this.#flush();
    });
    stream.onMessage((bytes) => this.#guarded(() => this.#receive(bytes)));
    stream.onHalfClose(() => this.close(new Error("the other end has closed the link")));
    stream.onClose(() => this.#close(new Error("the stream below the link has closed")));
    this.#heardAtMs = context.clock.monotonicMs();
    this.#nextTurn(this.#heardAtMs, KEEPALIVE_MS);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** When the other end was heard last, by the monotonic clock: while the link is well at most KEEPALIVE_MS ago, and the way. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Bytes that wait to be written, here and in the stream below. */
  get queuedBytes(): number {
    return this.#queuedBytes + this.#stream.bufferedBytes;
  }

  /** Those of them that the stream below was not given yet: `drained` is called when they have come down to half. */
  get waitingBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether an item can be taken. */
  get hasRoom(): boolean {
    return !this.#isClosed && this.queuedBytes < this.#context.limits.queueBytes;
  }

  /** Queues an item. Where there is no room, the link closes: the other end does not read. */
  send(item: LinkItem): void {
    if (this.#isClosed) return;
    if (!this.hasRoom) {
      this.close(new Error(`the other end does not read: ${this.queuedBytes} bytes wait for it`));
      return;
    }
    if (item.body.length > WHOLE_BYTES) {
      this.close(new Error(`a body of ${item.body.length} bytes: the limit is ${WHOLE_BYTES}`));
      return;
    }
    this.#queue.push(item);
    this.#queuedBytes += ITEM_BYTES + item.body.length;
    if (this.#queuedBytes > this.#context.limits.queueBytes / 2) this.#wasFull = true;
    this.#schedule();
  }

  /** Reads no more: flow control holds the other end. */
  hold(): void {
    if (this.#isHeld || this.#isClosed) return;
    this.#isHeld = true;
    this.#stream.pause();
  }

  release(): void {
    if (!this.#isHeld || this.#isClosed) return;
    this.#isHeld = false;
    this.#heardAtMs = this.#context.clock.monotonicMs(); // What was said meanwhile is still to be read.
    this.#stream.resume();
  }

  /** Writes what is queued if the stream below takes it, and ends it. */
  close(reason: Error): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#close(reason);
    this.#stream.end();
  }

  #close(reason: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelKeepalive();
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#parts = [];
    this.#handlers.closed(reason);
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isStreamFull) return;
    this.#isScheduled = true;
    this.#context.tick(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#queue.length > 0 && !this.#isStreamFull && !this.#isClosed) {
      if (!this.#stream.write(encodeFrame(this.#takeFrame()))) this.#isStreamFull = true;
    }
    if (!this.#wasFull || this.#isClosed || this.#queuedBytes > this.#context.limits.queueBytes / 2) return;
    this.#wasFull = false;
    this.#guarded(() => this.#handlers.drained());
  }

  /** As many queued items as make about PART_BYTES; of a larger body a part. */
  #takeFrame(): LinkItem[] {
    const frame: LinkItem[] = [];
    let bytes = 0;
    let whole = 0;
    for (const item of this.#queue) {
      if (bytes >= PART_BYTES) break;
      const from = this.#writtenBytes;
      const part = item.body.subarray(from, from + PART_BYTES - bytes);
      const goesOn = from + part.length < item.body.length;
      frame.push(goesOn || from > 0 ? { ...item, goesOn, body: part } : item);
      bytes += ITEM_BYTES + part.length;
      this.#queuedBytes -= part.length + (goesOn ? 0 : ITEM_BYTES);
      this.#writtenBytes = goesOn ? from + part.length : 0;
      if (goesOn) break;
      whole++;
    }
    this.#queue.splice(0, whole);
    return frame;
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#heardAtMs = this.#context.clock.monotonicMs();
    if (bytes.length > FRAME_BYTES) throw new RangeError(`a frame of ${bytes.length} bytes`);
    for (const item of decodeFrame(bytes)) {
      if (this.#isClosed) return;
      this.#take(item);
    }
  }

  /** Bodies are copied out of what was read from a socket: a Buffer, whose own `slice` would be one more view of it. */
  #take(item: LinkItem): void {
    this.#partBytes += item.body.length;
    if (this.#partBytes > WHOLE_BYTES) throw new RangeError(`a body above ${WHOLE_BYTES} bytes`);
    if (item.goesOn) {
      this.#parts.push(new Uint8Array(item.body));
      return;
    }
    const body =
      this.#parts.length === 0 ? new Uint8Array(item.body) : joined(this.#parts, item.body, this.#partBytes);
    this.#parts = [];
    this.#partBytes = 0;
    this.#handlers.item({ ...item, body });
  }

  /**
   * Says something, and closes when nothing was heard for two keepalives. A process that was paused, whose turn comes
   * late, finds what was said meanwhile before the next turn: it waits for that one, and closes no good link.
   */
  readonly #keepalive = (): void => {
    const nowMs = this.#context.clock.monotonicMs();
    if (this.#isHeld) this.#heardAtMs = nowMs;
    const isLate = nowMs > this.#turnDueMs + LATE_MS;
    const leftMs = this.#heardAtMs + 2 * KEEPALIVE_MS - nowMs;
    if (leftMs <= 0 && !isLate) {
      this.close(new Error(`nothing was heard for ${2 * KEEPALIVE_MS} ms`));
      return;
    }
    if (!this.#isStreamFull) this.#stream.write(encodeFrame([]));
    this.#nextTurn(nowMs, Math.min(KEEPALIVE_MS, Math.max(LATE_MS, leftMs)));
  };

  #nextTurn(nowMs: number, waitMs: number): void {
    this.#turnDueMs = nowMs + waitMs;
    this.#cancelKeepalive = this.#context.clock.after(waitMs, this.#keepalive);
  }
}

function joined(parts: readonly Uint8Array[], last: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of [...parts, last]) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
