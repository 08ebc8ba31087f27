import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../../base/clock.ts";
import { HeddleError, invalidField, overloaded } from "../../base/heddle-error.ts";
import { hex } from "../../base/ids.ts";
import type { SendRequest } from "../../gen/heddle/message/v1/message_service_pb.js";
import type { ClientFrame, ReceiptFrame, TypingFrame, Watch } from "../../gen/heddle/push/v1/frame_pb.js";
import type {
  SubmitRequest,
  SubmitResponseSchema,
  SubscribeRequest,
} from "../../gen/heddle/push/v1/push_service_pb.js";
import { IN_FLIGHT, SUBMIT_MS } from "../limits.ts";
import type { Call, Caller, Messages } from "../ports.ts";
import { acceptedInit, type RefusedFrame, refusedInit } from "../session/events.ts";
import type { Session } from "../session/session.ts";
import { noSession, submitDeadline } from "../session/session-errors.ts";
import {
  brokenOpen,
  brokenReceipt,
  brokenSend,
  brokenTyping,
  brokenWatch,
  refusal,
  toSend,
} from "./client-frames.ts";

type Outcome = NonNullable<MessageInitShape<typeof SubmitResponseSchema>["outcomes"]>[number];

export interface WebDoorInit {
  readonly clock: Clock;
  readonly messages: Messages;
  /** The live session of that id in hex, if it is held here. */
  readonly sessionOf: (key: string) => Session | undefined;
}

/** One Submit: whose it is, and the outcomes that are still out. */
interface Submission {
  readonly userId: string;
  readonly key: string;
  readonly requestId: string;
  /** Gives frame `at` its outcome; the first one counts. */
  readonly settle: (at: number, outcome: Outcome) => void;
}

const TAKEN: Outcome = { kind: { case: "taken", value: {} } };
const NO_ID = new Uint8Array(0);
const NAMELESS: RefusedFrame = { clientId: NO_ID, threadId: NO_ID, frame: 0 };

/**
 * The door of browsers. A Subscribe opens a session; Submit is the client's half of it: frames in, one outcome each,
 * in order (docs/design.md, section 4). A send needs no live session and its outcome is nobody's but this call's, so a
 * Subscribe that ends changes nothing; every other frame is the session's. The frames are taken in order, and settle
 * in any. Frames without an outcome by SUBMIT_MS are answered DEADLINE, which leaves a send unknown.
 */
export class WebDoor {
  readonly #init: WebDoorInit;
  /** Sends in flight per session, in hex: one client cannot fill the message service's queues by calling often. */
  readonly #inFlight = new Map<string, number>();

  constructor(init: WebDoorInit) {
    this.#init = init;
  }

  /** Opens the session, or ends its stream with what is wrong. */
  subscribe(request: SubscribeRequest, session: Session): void {
    const broken = brokenOpen(request, session.identity.deviceId);
    if (broken) session.end(broken);
    else session.open(request.cursor);
  }

  /** Whether the session that the caller's ticket names is live here. */
  holds({ userId, sessionId }: Caller): boolean {
    return sessionId !== undefined && this.#sessionOf({ userId, key: hex(sessionId) }) !== undefined;
  }

  /** Resolves to the outcomes, in the order of the frames, SUBMIT_MS from now at the latest. Never rejects. */
  submit(request: SubmitRequest, call: Call): Promise<MessageInitShape<typeof SubmitResponseSchema>> {
    const { frames } = request;
    return new Promise((resolve) => {
      const outcomes: (Outcome | undefined)[] = frames.map(() => undefined);
      let open = frames.length;
      const answer = () => resolve({ outcomes: outcomes.map((one, at) => one ?? late(frames[at])) });
      const cancel = this.#init.clock.after(SUBMIT_MS, answer);
      const settle = (at: number, outcome: Outcome) => {
        if (outcomes[at]) return;
        outcomes[at] = outcome;
        if (--open > 0) return;
        cancel();
        answer();
      };
      const { userId, sessionId } = call.caller;
      const key = sessionId ? hex(sessionId) : "";
      const submission = { userId, key, requestId: call.requestId, settle };
      for (const [at, frame] of frames.entries()) {
        const outcome = this.#act(submission, at, frame);
        if (outcome) settle(at, outcome);
      }
    });
  }

  /** Carries out a frame. Returns its outcome, or undefined if that comes later, through `settle`. */
  #act(submission: Submission, at: number, { kind }: ClientFrame): Outcome | undefined {
    const session = this.#sessionOf(submission);
    session?.heard();
    if (kind.case === "send") return this.#send(submission, at, kind.value);
    if (kind.case === "open") return refused(NAMELESS, openInSubmit());
    if (kind.case === undefined) return refused(NAMELESS, noKind());
    const named = { ...NAMELESS, threadId: threadNamedBy(kind) };
    if (!session) return refused(named, noSession());
    if (kind.case === "ping") session.pong();
    const broken = kind.case === "ack" ? session.ack(kind.value.upTo) : session.spend();
    if (broken) {
      session.end(broken);
      return refused(named, broken);
    }
    if (kind.case === "receipt") return this.#receipt(submission, at, kind.value);
    if (kind.case === "typing") return this.#typing(submission, at, session, kind.value);
    return kind.case === "watch" ? watched(session, kind.value) : TAKEN;
  }

  #sessionOf({ key, userId }: Pick<Submission, "key" | "userId">): Session | undefined {
    const session = this.#init.sessionOf(key);
    return session?.identity.userId === userId ? session : undefined;
  }

  #send(submission: Submission, at: number, request: SendRequest): Outcome | undefined {
    const { userId, key, settle } = submission;
    const names = { ...NAMELESS, clientId: request.clientId, ...threadOf(request) };
    const inFlight = this.#inFlight.get(key) ?? 0;
    const broken = brokenSend(request) ?? (inFlight >= IN_FLIGHT ? overloaded("session", 1_000) : undefined);
    if (broken) return refused(names, refusal(request, broken));
    this.#inFlight.set(key, inFlight + 1);
    this.#init.messages.send(toSend(request, userId, key), (outcome) => {
      this.#landed(key);
      if (outcome instanceof HeddleError) settle(at, refused(names, outcome));
      else settle(at, { kind: { case: "accepted", value: acceptedInit(outcome) } });
    });
    return undefined;
  }

  #landed(key: string): void {
    const left = (this.#inFlight.get(key) ?? 1) - 1;
    if (left > 0) this.#inFlight.set(key, left);
    else this.#inFlight.delete(key);
  }

  #receipt(submission: Submission, at: number, receipt: ReceiptFrame): Outcome | undefined {
    const { userId, key, requestId, settle } = submission;
    const { threadId, deliveredSeq, readSeq } = receipt;
    const broken = brokenReceipt(receipt);
    if (broken) return refused({ ...NAMELESS, threadId }, broken);
    const raised = this.#init.messages.raiseReceipt({
      userId,
      threadId,
      deliveredSeq: Number(deliveredSeq),
      readSeq: Number(readSeq),
      originSession: key,
    });
    raised.then(
      () => settle(at, TAKEN),
      (error) => settle(at, refused({ ...NAMELESS, threadId }, HeddleError.from(error, requestId))),
    );
    return undefined;
  }

  #typing(submission: Submission, at: number, session: Session, typing: TypingFrame): Outcome | undefined {
    const { userId, key, requestId, settle } = submission;
    const { threadId } = typing;
    const broken = brokenTyping(typing);
    if (broken) return refused({ ...NAMELESS, threadId }, broken);
    if (!session.passTyping(hex(threadId))) return TAKEN;
    this.#init.messages.typing({ userId, threadId, originSession: key }).then(
      () => settle(at, TAKEN),
      (error) => settle(at, refused({ ...NAMELESS, threadId }, HeddleError.from(error, requestId))),
    );
    return undefined;
  }
}

function refused(of: RefusedFrame, error: HeddleError): Outcome {
  return { kind: { case: "refused", value: refusedInit(of, error) } };
}

/** What a frame without an outcome is answered in the end. */
function late(frame: ClientFrame | undefined): Outcome {
  const kind = frame?.kind;
  if (kind?.case === "send") {
    return refused({ ...NAMELESS, clientId: kind.value.clientId, ...threadOf(kind.value) }, submitDeadline());
  }
  return refused({ ...NAMELESS, threadId: kind ? threadNamedBy(kind) : NO_ID }, submitDeadline());
}

function watched(session: Session, watch: Watch): Outcome {
  const broken = brokenWatch(watch);
  if (broken) return refused(NAMELESS, broken);
  session.watch(watch.userIds);
  return TAKEN;
}

/** The thread that a frame other than a send names. */
function threadNamedBy(kind: ClientFrame["kind"]): Uint8Array {
  return kind.case === "receipt" || kind.case === "typing" ? kind.value.threadId : NO_ID;
}

function threadOf({ target }: SendRequest): { readonly threadId?: Uint8Array } {
  return target.case === "threadId" ? { threadId: target.value } : {};
}

function openInSubmit(): HeddleError {
  return invalidField("frames.open", "a session is opened by Subscribe");
}

function noKind(): HeddleError {
  return invalidField("frames.kind", "required");
}
