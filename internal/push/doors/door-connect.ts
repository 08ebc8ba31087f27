import { HeddleError } from "../../base/heddle-error.ts";
import { hex } from "../../base/ids.ts";
import { ownBytes } from "../../base/own-bytes.ts";
import type { Accepted, Send } from "../../base/send.ts";
import type { SendRequest } from "../../gen/heddle/message/v1/message_service_pb.js";
import type { Open, ReceiptFrame, TypingFrame, Watch } from "../../gen/heddle/push/v1/frame_pb.js";
import { acceptedFrame } from "../../wire/event-frames.ts";
import { FRAME_BYTES } from "../../wire/limits.ts";
import { plainAck, plainSend } from "../../wire/plain-frames.ts";
import { IN_FLIGHT, IN_FLIGHT_BYTES } from "../limits.ts";
import type { ByteStream, Messages } from "../ports.ts";
import { refusedFrame } from "../session/events.ts";
import type { Session } from "../session/session.ts";
import { alreadyOpen, openExpected } from "../session/session-errors.ts";
import {
  brokenOpen,
  brokenReceipt,
  brokenSend,
  brokenTyping,
  brokenWatch,
  decodeFrame,
  refusal,
  type Said,
  toSend,
} from "./client-frames.ts";

const NO_ID = new Uint8Array(0);

/**
 * What one frame in flight may hold on to, in bytes: with so many each, all that may be in flight hold IN_FLIGHT_BYTES. A
 * copy is memory outside the heap, which costs more than to read the frame.
 */
const HELD_BYTES = IN_FLIGHT_BYTES / IN_FLIGHT;

/**
 * The door of native clients: what the client says on a Connect stream goes, frame by frame, to its session.
 *
 * Sends and receipts are in flight until they have an outcome. While IN_FLIGHT of them are, or so many bytes that one
 * more frame could exceed IN_FLIGHT_BYTES, the stream is not read: the transport's flow control then holds the client
 * back, and costs nobody else anything. Frames that advance nothing are paid for (Session.spend).
 */
export class ConnectDoor {
  readonly #session: Session;
  readonly #stream: ByteStream;
  readonly #messages: Messages;
  #inFlight = 0;
  #inFlightBytes = 0;
  /** What still came after pause(): at most one message, says the stream. */
  #kept: Uint8Array[] = [];
  #isHalfClosed = false;
  /** The number of the frame that is being acted on: every frame counts, `open` is 1. */
  #frame = 0;

  constructor(session: Session, stream: ByteStream, messages: Messages) {
    this.#session = session;
    this.#stream = stream;
    this.#messages = messages;
    stream.onMessage((bytes) => this.#receive(bytes));
    stream.onHalfClose(() => this.#halfClose());
  }

  #receive(bytes: Uint8Array): void {
    if (this.#session.phase === "closed") return;
    if (this.#session.isPaused) {
      this.#kept.push(bytes);
      return;
    }
    this.#session.heard();
    this.#frame++;
    const broken = this.#session.phase === "opening" ? this.#act(ownBytes(bytes)) : this.#actFast(bytes);
    if (broken) this.#session.end(broken);
  }

  /** As #act, in an open session: most frames are plain. */
  #actFast(bytes: Uint8Array): HeddleError | undefined {
    const upTo = plainAck(bytes);
    if (upTo !== undefined) return this.#session.ack(upTo);
    // What is in flight waits for seconds at times; a frame of 100 bytes must not hold on to 64 KiB as long as that.
    const own = bytes.buffer.byteLength <= HELD_BYTES ? bytes : ownBytes(bytes);
    const { userId, key } = this.#session.identity;
    const send = plainSend(own, userId, key);
    return send ? this.#handOn(send, own.length) : this.#act(own);
  }

  /** Acts on a frame; returns the error that ends the stream, if one does. */
  #act(bytes: Uint8Array): HeddleError | undefined {
    let said: Said;
    try {
      said = decodeFrame(bytes);
    } catch (error) {
      return HeddleError.from(error, this.#stream.call.requestId);
    }
    if (this.#session.phase === "opening") {
      return said.case === "open" ? this.#open(said.value) : openExpected();
    }
    switch (said.case) {
      case "open":
        return alreadyOpen();
      case "send":
        return this.#send(said.value, bytes.length);
      case "receipt":
        return this.#session.spend() ?? this.#receipt(said.value, bytes.length);
      case "watch":
        return this.#session.spend() ?? this.#watch(said.value);
      case "typing":
        return this.#session.spend() ?? this.#typing(said.value, bytes.length);
      case "ack":
        return this.#session.ack(said.value.upTo);
      case "ping":
        this.#session.pong();
        return this.#session.spend();
    }
  }

  #open(open: Open): HeddleError | undefined {
    const broken = brokenOpen(open, this.#session.identity.deviceId);
    if (!broken) this.#session.open(open.cursor);
    return broken;
  }

  #send(request: SendRequest, bytes: number): HeddleError | undefined {
    const { userId, key } = this.#session.identity;
    const broken = brokenSend(request);
    if (!broken) return this.#handOn(toSend(request, userId, key), bytes);
    const { clientId, target } = request;
    const threadId = target.case === "threadId" ? target.value : NO_ID;
    this.#session.answer(refusedFrame({ clientId, threadId, frame: this.#frame }, refusal(request, broken)));
    return this.#session.spend();
  }

  /** Hands a checked send on. */
  #handOn(send: Send, bytes: number): undefined {
    const frame = this.#frame;
    this.#take(bytes);
    this.#messages.send(send, (outcome) => {
      try {
        this.#session.answer(outcomeFrame(send, frame, outcome));
        this.#give(bytes);
      } catch (error) {
        this.#session.fail(error);
      }
    });
  }

  #receipt(receipt: ReceiptFrame, bytes: number): HeddleError | undefined {
    const { threadId, deliveredSeq, readSeq } = receipt;
    const frame = this.#frame;
    const refuse = (error: HeddleError) =>
      this.#session.answer(refusedFrame({ clientId: NO_ID, threadId, frame }, error));
    const broken = brokenReceipt(receipt);
    if (broken) {
      refuse(broken);
      return undefined;
    }
    const { userId, key } = this.#session.identity;
    this.#take(bytes);
    this.#messages
      .raiseReceipt({
        userId,
        threadId,
        deliveredSeq: Number(deliveredSeq),
        readSeq: Number(readSeq),
        originSession: key,
      })
      .catch((error) => refuse(HeddleError.from(error, this.#stream.call.requestId)))
      .finally(() => this.#give(bytes))
      .catch((error) => this.#session.fail(error));
    return undefined;
  }

  #watch(watch: Watch): undefined {
    const broken = brokenWatch(watch);
    if (broken)
      this.#session.answer(refusedFrame({ clientId: NO_ID, threadId: NO_ID, frame: this.#frame }, broken));
    else this.#session.watch(watch.userIds);
  }

  #typing(typing: TypingFrame, bytes: number): undefined {
    const { threadId } = typing;
    const frame = this.#frame;
    const refuse = (error: HeddleError) =>
      this.#session.answer(refusedFrame({ clientId: NO_ID, threadId, frame }, error));
    const broken = brokenTyping(typing);
    if (broken) return refuse(broken) as undefined;
    if (!this.#session.passTyping(hex(threadId))) return undefined;
    const { userId, key } = this.#session.identity;
    this.#take(bytes);
    this.#messages
      .typing({ userId, threadId, originSession: key })
      .catch((error) => refuse(HeddleError.from(error, this.#stream.call.requestId)))
      .finally(() => this.#give(bytes))
      .catch((error) => this.#session.fail(error));
    return undefined;
  }

  #take(bytes: number): void {
    this.#inFlight++;
    this.#inFlightBytes += bytes;
    this.#session.owed = this.#inFlight;
    if (!this.#isFull || this.#session.isPaused) return;
    this.#session.isPaused = true;
    this.#stream.pause();
  }

  #give(bytes: number): void {
    this.#inFlight--;
    this.#inFlightBytes -= bytes;
    this.#session.owed = this.#inFlight;
    if (this.#session.isPaused && !this.#isFull) this.#resume();
    else if (this.#isHalfClosed) this.#session.finish();
  }

  #resume(): void {
    this.#session.isPaused = false;
    this.#session.heard();
    while (!this.#session.isPaused) {
      const bytes = this.#kept.shift();
      if (!bytes) break;
      this.#receive(bytes);
    }
    if (!this.#session.isPaused) this.#stream.resume();
  }

  get #isFull(): boolean {
    return this.#inFlight >= IN_FLIGHT || this.#inFlightBytes > IN_FLIGHT_BYTES - FRAME_BYTES;
  }

  /** The client has said all: it gets what it is owed, then the stream ends. */
  #halfClose(): void {
    this.#isHalfClosed = true;
    if (this.#session.phase === "opening") this.#session.end(openExpected());
    else this.#session.finish();
  }
}

function outcomeFrame(
  { clientId, threadId = NO_ID }: Send,
  frame: number,
  outcome: Accepted | HeddleError,
): Uint8Array {
  return outcome instanceof HeddleError
    ? refusedFrame({ clientId, threadId, frame }, outcome)
    : acceptedFrame(outcome);
}
