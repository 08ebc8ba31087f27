import type { Clock } from "../base/clock.ts";
import { hex } from "../base/ids.ts";
import type { Member } from "../base/ring.ts";
import type { Send, Settle } from "../base/send.ts";
import { directThreadId } from "../base/thread-id.ts";
import type { Membership, Messages } from "../push/ports.ts";
import { SEND_MS } from "../rpc/links/budget.ts";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";
import { isUnavailable, MessageRoutes, type RoutesInit } from "./message-routes.ts";

/** What a try leaves to the next one of what the send still has: a server that hangs must not take all of it. */
const LEFT_TO_OTHERS = 0.4;

/** With less than this no other server is asked, in ms: its answer would not come in time. */
const LEAST_MS = 500;

/** One message server, which settles a send within the budget. */
export interface TimedMessages extends Messages {
  send(send: Send, settle: Settle, budgetMs?: number): void;
}

/**
 * The message servers as one, as a push server needs them. A send that one of them answers UNAVAILABLE goes to the next,
 * as a later attempt: it may still commit where it was, so that no refusal of it is certain any more.
 */
export class RoutedMessages implements Messages {
  readonly #routes: MessageRoutes<TimedMessages>;
  readonly #clock: Clock;

  constructor(init: RoutesInit<TimedMessages>) {
    this.#routes = new MessageRoutes(init);
    this.#clock = init.clock;
  }

  send(send: Send, settle: Settle): void {
    const thread = hex(send.threadId ?? directThreadId(send.userId, send.toUserId));
    this.#try(thread, send, { settle, untilMs: this.#clock.monotonicMs() + SEND_MS, tried: [] });
  }

  async raiseReceipt(receipt: Parameters<Messages["raiseReceipt"]>[0]): Promise<void> {
    await this.#routes.ask(hex(receipt.threadId), (server) => server.raiseReceipt(receipt));
  }

  /** Positions of a user's threads wait at every server. */
  async flushReceipts(userId: string): Promise<void> {
    await this.#routes.askAll((server) => server.flushReceipts(userId));
  }

  async typing(typing: Parameters<Messages["typing"]>[0]): Promise<void> {
    await this.#routes.ask(hex(typing.threadId), (server) => server.typing(typing));
  }

  async membership(threadId: Uint8Array, userIds: readonly string[]): Promise<Membership> {
    return this.#routes.ask(hex(threadId), (server) => server.membership(threadId, userIds));
  }

  #try(thread: string, send: Send, { settle, untilMs, tried }: Trying): void {
    const member = this.#routes.next(thread, tried);
    if (!member) {
      settle(peerUnavailable("message"));
      return;
    }
    const askedMs = this.#clock.monotonicMs();
    const leftMs = untilMs - askedMs;
    const all = [...tried, member];
    const isLast = !this.#routes.hasNext(all);
    const budgetMs = isLast ? leftMs : leftMs * (1 - LEFT_TO_OTHERS);
    const answered: Settle = (outcome) => {
      const hasTime = untilMs - this.#clock.monotonicMs() >= LEAST_MS;
      if (isUnavailable(outcome)) this.#routes.noteUnavailable(member, askedMs, budgetMs);
      if (!isUnavailable(outcome) || !hasTime || !this.#routes.hasNext(all)) settle(outcome);
      else this.#try(thread, { ...send, attempt: send.attempt + 1 }, { settle, untilMs, tried: all });
    };
    this.#routes.at(member).send(send, answered, budgetMs);
  }
}

/** A send under way, with the servers that were asked. */
interface Trying {
  readonly settle: Settle;
  /** When the send is to be settled at the latest, by the monotonic clock. */
  readonly untilMs: number;
  readonly tried: readonly Member[];
}
