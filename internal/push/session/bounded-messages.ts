import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import type { Send, Settle } from "../../base/send.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import type { Membership, Messages } from "../ports.ts";

/** How long the message service may take over anything but a send, in ms. */
const CALL_MS = 10_000;

/**
 * The message service with a deadline on every call, so that one that never answers holds up no session for ever.
 * Sends have their own: they settle when the deadline of an append has passed.
 */
export class BoundedMessages implements Messages {
  readonly #messages: Messages;
  readonly #deadlines: Deadlines;

  constructor(messages: Messages, deadlines: Deadlines) {
    this.#messages = messages;
    this.#deadlines = deadlines;
  }

  send(send: Send, settle: Settle): void {
    this.#messages.send(send, settle);
  }

  raiseReceipt(receipt: Parameters<Messages["raiseReceipt"]>[0]): Promise<void> {
    return this.#deadlines.bound(this.#messages.raiseReceipt(receipt), CALL_MS, late);
  }

  flushReceipts(userId: string): Promise<void> {
    return this.#deadlines.bound(this.#messages.flushReceipts(userId), CALL_MS, late);
  }

  typing(typing: Parameters<Messages["typing"]>[0]): Promise<void> {
    return this.#deadlines.bound(this.#messages.typing(typing), CALL_MS, late);
  }

  membership(threadId: Uint8Array, userIds: readonly string[]): Promise<Membership> {
    return this.#deadlines.bound(this.#messages.membership(threadId, userIds), CALL_MS, late);
  }
}

function late(): HeddleError {
  const text = `the message service did not answer within ${CALL_MS} ms`;
  const metadata = { limit_ms: String(CALL_MS) };
  return new HeddleError(Code.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, text, { metadata });
}
