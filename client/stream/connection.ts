import type { Clock } from "../../internal/base/clock.ts";
import { Code, ErrorReason, HeddleError } from "../../internal/base/heddle-error.ts";
import { GatewayService } from "../../internal/gen/heddle/gateway/v1/gateway_service_pb.js";
import {
  type Draining,
  DrainingReason,
  type Event,
  type Opened,
} from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { ConnectionState } from "../model/model.ts";
import type { Permit, Transport } from "../transport/transport.ts";
import { asError } from "../transport/wire.ts";
import { Backoff } from "./backoff.ts";
import type { Calls } from "./calls.ts";
import { type Course, courseOfEnd, courseOfError } from "./connection-reason.ts";
import { Session } from "./session.ts";
import type { Tokens } from "./tokens.ts";

/** What a connection stands on, and who hears of it. The callbacks are called synchronously, in the order of events. */
export interface ConnectionDeps {
  readonly transport: Transport;
  readonly calls: Calls;
  readonly tokens: Tokens;
  readonly userId: string;
  readonly deviceId: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** The cursor of the last `caught_up`, asked for at each open; empty for a full sync. */
  readonly cursor: () => Uint8Array;
  /** The server refused the cursor: forget it. */
  readonly dropCursor: () => void;
  /** Every change of state. `signed-out` is the last. */
  readonly onState: (state: ConnectionState) => void;
  /** Events of all sessions; while moving there are two. */
  readonly onEvent: (event: Event, session: Session) => void;
  /** The server knows that all events so far have arrived. It takes them as delivered, so no receipt needs to say so. */
  readonly onAcked: () => void;
  /** Before any other event of the session. */
  readonly onOpened: (session: Session, opened: Opened) => void;
  /** Once per session, also of one that never opened. */
  readonly onEnded: (session: Session) => void;
}

/** Refusals of fresh tokens in a row that make a sign-out: one may be a key that is just being rotated. */
const MOST_UNBELIEVED = 3;

/**
 * Keeps the user connected: offline → connecting → backfilling → live, and again. Whatever ends a session, the gateway
 * is asked for the next, after a jittered wait. On `draining` the next session is opened before the old one is closed,
 * so nobody sees the user leave. It ends only when the device is revoked, the credentials are refused, or it is closed.
 */
export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #backoff: Backoff;
  readonly #sessions = new Set<Session>();
  #state: ConnectionState = { phase: "offline", reason: { kind: "starting" }, retryAtMs: undefined };
  #isClosed = false;
  /** The last session that opened, if it was given up because its server did not answer. */
  #unansweredSessionId = new Uint8Array(0);
  /** Fresh tokens that were refused, one after the other. An opened session sets it back. */
  #unbelieved = 0;
  /** Ends the wait that is under way, if one is. */
  #wake = () => {};

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff(deps.random);
  }

  /** Where it is now. Never live again after `signed-out`. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Runs until it is final. Never rejects. */
  async run(): Promise<void> {
    let next: Session | undefined;
    while (!this.#isClosed) {
      try {
        const session = next ?? (await this.#establish());
        next = await this.#serve(session);
      } catch (thrown) {
        next = undefined;
        if (!this.#isClosed)
          await this.#follow((thrown as { course?: Course }).course ?? courseOfError(asError(thrown)));
      }
    }
  }

  /** Tries at once if it is waiting, and is impatient again. */
  nudge(): void {
    this.#backoff.reset();
    this.#wake();
  }

  /** Ends every session. */
  close(): void {
    if (this.#isClosed) return;
    this.#signOut({ kind: "closed" });
  }

  /**
   * Asks the gateway for a permit and opens a stream with it. Resolves once `opened` has come. Throws Ended, or the
   * error of the call.
   */
  async #establish(): Promise<Session> {
    const isMoving = this.#state.phase === "draining";
    // While it moves, the old session still serves: nobody should see "connecting".
    if (!isMoving) this.#say({ phase: "connecting", reason: this.#state.reason, retryAtMs: undefined });
    const permit = await this.#permit();
    // Closed while the gateway answered: a stream that is opened now would never be closed.
    if (this.#isClosed) throw new Ended(courseOfEnd({ kind: "closed", error: undefined }, undefined));
    const ends = new AbortController();
    const stream = this.#deps.transport.open({
      permit,
      deviceId: this.#deps.deviceId,
      cursor: this.#deps.cursor(),
      signal: ends.signal,
      renew: (sessionId) => this.#renew(sessionId),
    });
    const session = new Session({
      stream,
      clock: this.#deps.clock,
      onEvent: (event, from) => this.#take(event, from),
      onAcked: this.#deps.onAcked,
    });
    this.#sessions.add(session);
    void session.ended.then(() => {
      ends.abort();
      this.#sessions.delete(session);
      this.#deps.onEnded(session);
    });
    // Session gives `opened` 10 s, so this ends.
    const end = await Promise.race([session.opened.then(() => undefined), session.ended]);
    if (end) throw new Ended(courseOfEnd(end, undefined));
    this.#unbelieved = 0;
    this.#unansweredSessionId = new Uint8Array(0);
    void this.#noteSilence(session);
    return session;
  }

  async #noteSilence(session: Session): Promise<void> {
    const [sessionId, { kind }] = await Promise.all([session.opened, session.ended]);
    if (kind === "no-answer") this.#unansweredSessionId = new Uint8Array(sessionId);
  }

  /**
   * A permit of the gateway. The token is fetched first and apart, so that "the application gives no token" (final) is
   * told from "the server refuses it" (tried again).
   */
  async #permit(): Promise<Permit> {
    try {
      await this.#deps.tokens.get();
    } catch (thrown) {
      const error = asError(thrown);
      const course = courseOfError(error);
      const isRefused = error.code === Code.UNAUTHENTICATED || error.code === Code.PERMISSION_DENIED;
      throw new Ended(
        isRefused ? { ...course, reason: { kind: "not-signed-in", error }, isFinal: true } : course,
      );
    }
    const request = { deviceId: this.#deps.deviceId, unansweredSessionId: this.#unansweredSessionId };
    const answer = await this.#deps.calls.call(GatewayService.method.openSession, request);
    return { ...answer, expiresAtMs: Number(answer.expiresAtMs) };
  }

  /** A fresh ticket for a session that lives, for transports that send by Submit: a ticket is good for 10 minutes. */
  async #renew(sessionId: Uint8Array): Promise<{ ticket: string; expiresAtMs: number }> {
    const answer = await this.#deps.calls.call(GatewayService.method.renewTicket, { sessionId });
    return { ticket: answer.ticket, expiresAtMs: Number(answer.expiresAtMs) };
  }

  /** Lives with a session until it is over (throws) or the next has taken its place (resolves with it). */
  async #serve(session: Session): Promise<Session> {
    const first = await Promise.race([session.draining, session.ended]);
    if ("kind" in first) throw new Ended(courseOfEnd(first, undefined));
    return await this.#move(session, first);
  }

  /**
   * Opens the next session while the old one still serves, and closes the old one when the next has caught up: so the
   * user never seems away, and no event falls between them.
   */
  async #move(session: Session, draining: Draining): Promise<Session> {
    const { reason, jitterMs, afterMs } = draining;
    // Nothing to move to: a revoked device may not come back, and a session that was replaced has its successor.
    if (reason === DrainingReason.DEVICE_REVOKED || reason === DrainingReason.REPLACED) {
      session.close();
      throw new Ended(courseOfEnd(await session.ended, reason));
    }
    if (reason === DrainingReason.TOKEN_EXPIRED) this.#deps.tokens.dropCurrent();
    const kind = reason === DrainingReason.TOKEN_EXPIRED ? "token-expired" : "moving";
    this.#say({ phase: "draining", reason: { kind }, retryAtMs: undefined });
    // Spread over the whole jitter: all clients of a push server are asked to move at the same moment. Never later than
    // the moment at which the server ends the stream.
    const waitMs = Math.floor(this.#deps.random() * Math.min(jitterMs, afterMs || jitterMs));
    const early = await Promise.race([this.#pause(waitMs), session.ended]);
    if (early) throw new Ended({ ...courseOfEnd(early, undefined), reason: { kind } });
    try {
      const next = await this.#establish();
      void Promise.race([next.caughtUp, next.ended]).then(() => session.close());
      return next;
    } catch (thrown) {
      // The next could not be had: the old one is used to its end, and only then does the person hear of it.
      const end = await session.ended;
      throw thrown instanceof Ended ? thrown : new Ended(courseOfEnd(end, reason));
    }
  }

  /** An event of any session, in the order of its stream. */
  #take(event: Event, session: Session): void {
    if (event.kind.case === "opened") {
      if (event.kind.value.userId !== this.#deps.userId) {
        // The application gave somebody else's token. What is held must never mix with that user's.
        const error = new HeddleError(
          Code.PERMISSION_DENIED,
          ErrorReason.TOKEN_INVALID,
          "a token of another user",
        );
        this.#signOut({ kind: "not-signed-in", error });
        return;
      }
      const isMoving = this.#state.phase === "draining";
      if (!isMoving) this.#say({ phase: "backfilling", reason: undefined, retryAtMs: undefined });
      this.#deps.onOpened(session, event.kind.value);
    }
    this.#deps.onEvent(event, session);
    if (event.kind.case === "caughtUp") {
      this.#backoff.reset();
      this.#say({ phase: "live", reason: undefined, retryAtMs: undefined });
    }
  }

  /** Waits as the course says, or ends it all. */
  async #follow(course: Course): Promise<void> {
    if (course.isTokenStale) this.#deps.tokens.dropCurrent();
    if (course.isCursorBad) this.#deps.dropCursor();
    if (course.reason.kind === "not-signed-in") this.#unbelieved += 1;
    if (course.isFinal || this.#unbelieved >= MOST_UNBELIEVED) {
      this.#signOut(course.reason);
      return;
    }
    const waitMs = this.#backoff.nextDelayMs(course.askedMs);
    const retryAtMs = this.#deps.clock.nowMs() + waitMs;
    this.#say({ phase: "offline", reason: course.reason, retryAtMs });
    await this.#pause(waitMs);
  }

  #pause(ms: number): Promise<undefined> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(ms, () => resolve(undefined));
      this.#wake = () => {
        cancel();
        resolve(undefined);
      };
    });
  }

  #signOut(reason: NonNullable<ConnectionState["reason"]>): void {
    this.#isClosed = true;
    this.#wake();
    for (const session of this.#sessions) session.close();
    this.#say({ phase: "signed-out", reason, retryAtMs: undefined });
  }

  #say(state: ConnectionState): void {
    if (this.#state.phase === "signed-out") return;
    this.#state = state;
    this.#deps.onState(state);
  }
}

/** Carries a course through a throw. */
class Ended extends Error {
  readonly course: Course;

  constructor(course: Course) {
    super(course.reason.kind, { cause: course.reason.error });
    this.course = course;
  }
}
