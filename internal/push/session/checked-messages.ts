import { deviceRevoked, HeddleError } from "../../base/heddle-error.ts";
import type { Send, Settle } from "../../base/send.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import type { Messages } from "../ports.ts";
import { BoundedMessages } from "./bounded-messages.ts";
import type { Session } from "./session.ts";

export interface CheckedMessagesInit {
  readonly messages: Messages;
  readonly deadlines: Deadlines;
  readonly sessionOf: (key: string) => Session | undefined;
  /** Whether a revocation of the user's devices would have been heard of, if it is older than a few seconds. */
  readonly hasHeard: (userId: string) => boolean;
  /** Whether the device was revoked, by the store. Rejects with STORE_UNAVAILABLE. */
  readonly isRevoked: (userId: string, deviceId: string) => Promise<boolean>;
  readonly revoked: (userId: string, deviceId: string) => void;
}

/**
 * The message service, as sessions send to it. While what is published to the user's inbox may not come, since the channel
 * instance falls silent or the topic moves, a device may have been signed out unheard: it is looked at before its send
 * is taken. While all is well nobody is asked.
 */
export class CheckedMessages extends BoundedMessages {
  readonly #init: CheckedMessagesInit;

  constructor(init: CheckedMessagesInit) {
    super(init.messages, init.deadlines);
    this.#init = init;
  }

  override send(send: Send, settle: Settle): void {
    if (this.#init.hasHeard(send.userId)) super.send(send, settle);
    else void this.#checkedSend(send, settle);
  }

  /** Without a session the send came by a Submit, which has looked. */
  async #checkedSend(send: Send, settle: Settle): Promise<void> {
    const { sessionOf, isRevoked, revoked } = this.#init;
    const session = sessionOf(send.originSession);
    try {
      if (session && (await isRevoked(send.userId, session.identity.deviceId))) {
        revoked(send.userId, session.identity.deviceId);
        throw deviceRevoked();
      }
    } catch (error) {
      settle(HeddleError.from(error, send.originSession));
      return;
    }
    super.send(send, settle);
  }
}
