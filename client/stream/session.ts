import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../internal/base/clock.ts";
import { Code, ErrorReason, HeddleError } from "../../internal/base/heddle-error.ts";
import {
  type Accepted,
  AckSchema,
  type ClientFrame,
  ClientFrameSchema,
  type Draining,
  type Event,
  PingSchema,
} from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { SubmitResponse_Outcome } from "../../internal/gen/heddle/push/v1/push_service_pb.js";
import type { Stream } from "../transport/transport.ts";
import { asError } from "../transport/wire.ts";

/** Events taken without an ack: far below the server's credit of 256, so that it never runs dry. */
const ACK_EVENTS = 32;
/** An ack waits at most this long. */
const ACK_MS = 200;
/** `opened`, and an answer to a ping, must come within this. */
const ANSWER_MS = 10_000;
/**
 * Where an answer is overdue, a sign of life must come within this, in ms: a send takes at most 12 s while the stores
 * serve, and another session is to be opened in that time.
 */
const OVERDUE_MS = 5_000;
/** If the server names no interval. It counts a client as gone after 25 s of silence. */
const PING_MS = 15_000;

/** How a session ended. */
export interface SessionEnd {
  /**
   * `ended`: by the server or the network, with an error if it was not orderly. `no-answer`: silence. `closed`: by this
   * client.
   */
  readonly kind: "ended" | "no-answer" | "closed";
  /** Why, where it is known; undefined for an orderly end. */
  readonly error: HeddleError | undefined;
}

/** What a session reads and writes, and who hears of it. */
export interface SessionDeps {
  readonly stream: Stream;
  readonly clock: Clock;
  /** Called with every event, in order. */
  readonly onEvent: (event: Event, session: Session) => void;
  /** The server has been told that everything up to now has arrived. */
  readonly onAcked: () => void;
}

/**
 * One stream from open to end: counts events, acks them, pings, and notices silence. Events of the stream are numbered
 * by their place on it, every one counts, the ones this client does not know too (docs/design.md, section 4, Credit).
 */
export class Session {
  /** Resolves with the session's id at `opened`; never if it ends before. */
  readonly opened: Promise<Uint8Array>;
  /** Resolves at the first `caught_up`. */
  readonly caughtUp: Promise<void>;
  /** Resolves when the server asks to move. */
  readonly draining: Promise<Draining>;
  /** Resolves when it is over. */
  readonly ended: Promise<SessionEnd>;
  readonly #deps: SessionDeps;
  /** Once true it stays so: no event, ack or ping comes after it. */
  #isOver = false;
  /**
   * Events taken from the stream, `opened` being 1. The server counts the same way, so an ack needs no numbers on
   * events.
   */
  #count = 0;
  /** The count that was last told to the server, or 0 when it is not certain that it arrived. Never above #count. */
  #acked = 0;
  /** When the last event came, monotonic ms. */
  #heardAtMs: number;
  #cancelAck: (() => void) | undefined;
  #cancelPing = () => {};
  #cancelSilence = () => {};
  /** When it ends unless something comes, monotonic ms; undefined: nothing is expected. */
  #silentAtMs: number | undefined;
  readonly #open: (sessionId: Uint8Array) => void;
  readonly #catchUp: () => void;
  readonly #drain: (draining: Draining) => void;
  readonly #end: (end: SessionEnd) => void;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#heardAtMs = deps.clock.monotonicMs();
    ({ promise: this.opened, resolve: this.#open } = settable<Uint8Array>());
    ({ promise: this.caughtUp, resolve: this.#catchUp } = settable<void>());
    ({ promise: this.draining, resolve: this.#drain } = settable<Draining>());
    ({ promise: this.ended, resolve: this.#end } = settable<SessionEnd>());
    this.#expectSign(ANSWER_MS);
    void this.#read();
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Says a frame. As Stream.say; NO_SESSION ends the session, so that a new one is opened. */
  async say(frame: ClientFrame): Promise<SubmitResponse_Outcome | undefined> {
    try {
      const outcome = await this.#deps.stream.say(frame);
      // An outcome carries the reason by its name without the prefix; an error that was thrown carries it as the enum.
      const reason = outcome?.kind.case === "refused" ? outcome.kind.value.errorInfo?.reason : undefined;
      if (reason === ErrorReason[ErrorReason.NO_SESSION].replace(/^ERROR_REASON_/, "")) this.#lost();
      return outcome;
    } catch (thrown) {
      if (asError(thrown).reason === ErrorReason.NO_SESSION) this.#lost();
      throw thrown;
    }
  }

  /**
   * Hands on an `accepted` that did not come on the stream but as the answer to Submit. It is not counted: the server
   * counts the events of the stream alone.
   */
  settle(kind: { readonly case: "accepted"; readonly value: Accepted }): void {
    this.#deps.onEvent({ $typeName: "heddle.push.v1.Event", kind } as Event, this);
  }

  /** An answer is overdue for so many ms: where nothing else was heard either, the server is asked whether it is there. */
  answerIsOverdue(forMs: number): void {
    if (this.#isOver || this.#heardAtMs > this.#deps.clock.monotonicMs() - forMs) return;
    this.#ping();
    this.#expectSign(OVERDUE_MS);
  }

  /** Ends it at once. */
  close(): void {
    this.#finish({ kind: "closed", error: undefined });
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of this.#deps.stream) {
        for (const event of frame.events) this.#take(event);
        if (this.#isOver) return;
      }
      this.#finish({ kind: "ended", error: undefined });
    } catch (thrown) {
      this.#finish({ kind: "ended", error: asError(thrown) });
    }
  }

  #take(event: Event): void {
    if (this.#isOver) return;
    this.#count += 1;
    this.#heardAtMs = this.#deps.clock.monotonicMs();
    this.#cancelSilence();
    this.#silentAtMs = undefined;
    const { kind } = event;
    if (kind.case === "opened") {
      this.#open(kind.value.sessionId);
      this.#schedulePing(kind.value.pingIntervalMs || PING_MS);
    } else if (kind.case === "draining") this.#drain(kind.value);
    else if (kind.case === "caughtUp") this.#catchUp();
    this.#deps.onEvent(event, this);
    // After onEvent: what is acked has been taken by the client.
    if (this.#count - this.#acked >= ACK_EVENTS) this.#ack();
    else this.#cancelAck ??= this.#deps.clock.after(ACK_MS, () => this.#ack());
  }

  /** Tells the server how many events have arrived, which gives it credit for as many more. */
  #ack(): void {
    this.#cancelAck?.();
    this.#cancelAck = undefined;
    if (this.#isOver || this.#acked === this.#count) return;
    this.#acked = this.#count;
    const ack = create(AckSchema, { upTo: BigInt(this.#count) });
    this.say(create(ClientFrameSchema, { kind: { case: "ack", value: ack } })).then(
      () => this.#deps.onAcked(),
      () => this.#ackLater(),
    );
  }

  /** An ack that was lost is made good by the next; it is cumulative. */
  #ackLater(): void {
    this.#acked = 0;
    if (!this.#isOver) this.#cancelAck ??= this.#deps.clock.after(ACK_MS, () => this.#ack());
  }

  /**
   * Pings again and again, so that the server knows the client is there, and the client that the path still carries.
   */
  #schedulePing(intervalMs: number): void {
    this.#cancelPing = this.#deps.clock.after(intervalMs, () => {
      this.#ping();
      this.#expectSign(ANSWER_MS);
      this.#schedulePing(intervalMs);
    });
  }

  #ping(): void {
    const ping = create(PingSchema);
    // A ping that cannot be said is answered by nothing, and the silence ends the session.
    this.say(create(ClientFrameSchema, { kind: { case: "ping", value: ping } })).catch(() => {});
  }

  /**
   * From now on something must come within so many ms, or the session ends as `no-answer`. Any event counts, not only a
   * pong. What was expected sooner still is.
   */
  #expectSign(withinMs: number): void {
    const askedAtMs = this.#deps.clock.monotonicMs();
    if (this.#silentAtMs !== undefined && this.#silentAtMs <= askedAtMs + withinMs) return;
    this.#silentAtMs = askedAtMs + withinMs;
    this.#cancelSilence();
    this.#cancelSilence = this.#deps.clock.after(withinMs, () => {
      if (this.#heardAtMs > askedAtMs) return;
      const error = new HeddleError(
        Code.DEADLINE_EXCEEDED,
        ErrorReason.UNSPECIFIED,
        "the server does not answer",
      );
      this.#finish({ kind: "no-answer", error });
    });
  }

  /** The push server does not hold this session, though the stream seems to live. */
  #lost(): void {
    const error = new HeddleError(
      Code.FAILED_PRECONDITION,
      ErrorReason.NO_SESSION,
      "the session is not held",
    );
    this.#finish({ kind: "ended", error });
  }

  #finish(end: SessionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelAck?.();
    this.#cancelPing();
    this.#cancelSilence();
    this.#deps.stream.close();
    this.#end(end);
  }
}

/** A promise with what resolves it: Promise.withResolvers is not there in Node 20. */
function settable<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
