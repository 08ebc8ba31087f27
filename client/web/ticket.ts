import type { ServerFrame } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { Permit, StreamOptions } from "../transport/transport.ts";

/** A ticket is renewed this long before it ends, in ms: longer than a Submit takes. */
const AHEAD_MS = 60_000;

/** The ticket that Submits show. It ends after ten minutes and is renewed for the same session and push server. */
export class Ticket {
  readonly #renew: StreamOptions["renew"];
  readonly #nowMs: () => number;
  #ticket: string;
  /** Unix ms, as the server said it: a clock that is off renews too early, or too late, and then `expire` mends it. */
  #expiresAtMs: number;
  /** Undefined until the session is there; before that nothing can be renewed. */
  #sessionId: Uint8Array | undefined;
  /** Both lanes wait for one. */
  #renewing: Promise<void> | undefined;

  constructor(permit: Permit, renew: StreamOptions["renew"], nowMs: () => number = Date.now) {
    this.#ticket = permit.ticket;
    this.#expiresAtMs = permit.expiresAtMs;
    this.#renew = renew;
    this.#nowMs = nowMs;
  }

  /** Learns the session's id from `opened`, the first event. */
  notice(frame: ServerFrame): void {
    if (this.#sessionId) return;
    const opened = frame.events.find((event) => event.kind.case === "opened");
    if (opened?.kind.case === "opened") this.#sessionId = opened.kind.value.sessionId;
  }

  /** A ticket that is good for a Submit now. Rejects as RenewTicket does. */
  async current(): Promise<string> {
    if (this.#sessionId && this.#expiresAtMs - this.#nowMs() < AHEAD_MS) {
      this.#renewing ??= this.#fetch(this.#sessionId).finally(() => {
        this.#renewing = undefined;
      });
      await this.#renewing;
    }
    return this.#ticket;
  }

  /** The server says that it has run out: this device's clock may be wrong. */
  expire(): void {
    this.#expiresAtMs = 0;
  }

  async #fetch(sessionId: Uint8Array): Promise<void> {
    const fresh = await this.#renew(sessionId);
    this.#ticket = fresh.ticket;
    this.#expiresAtMs = fresh.expiresAtMs;
  }
}
