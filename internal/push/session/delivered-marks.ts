import { fromHex } from "../../base/ids.ts";
import { DELIVERED_THREADS } from "../limits.ts";
import type { Messages } from "../ports.ts";

const NOTHING_LEFT = Promise.resolve();

/**
 * What a session's acks say about delivery: the highest seq per thread, handed to the message service once per tick,
 * one batch at a time. A mark that cannot be handed over is dropped: the next ack, or the client's own receipt, says
 * it again.
 */
export class DeliveredMarks {
  readonly #messages: Messages;
  readonly #userId: string;
  readonly #originSession: string;
  #marks = new Map<string, number>();
  #handingOver: Promise<void> | undefined;

  constructor(messages: Messages, userId: string, originSession: string) {
    this.#messages = messages;
    this.#userId = userId;
    this.#originSession = originSession;
  }

  /** The entries of the thread (hex) up to `seq` have reached the device. */
  noteSeq(thread: string, seq: number): void {
    const known = this.#marks.get(thread);
    if (known === undefined && this.#marks.size >= DELIVERED_THREADS) return;
    if (known === undefined || known < seq) this.#marks.set(thread, seq);
  }

  /** Hands over what was noted. Resolves when it, and what was noted meanwhile, has been taken or dropped. */
  flush(): Promise<void> {
    if (!this.#handingOver && this.#marks.size > 0) {
      this.#handingOver = this.#handOver().then(() => {
        this.#handingOver = undefined;
        return this.flush();
      });
    }
    return this.#handingOver ?? NOTHING_LEFT;
  }

  async #handOver(): Promise<void> {
    const marks = this.#marks;
    this.#marks = new Map();
    const taken = Array.from(marks, ([thread, deliveredSeq]) =>
      this.#messages.raiseReceipt({
        userId: this.#userId,
        threadId: fromHex(thread),
        deliveredSeq,
        readSeq: 0,
        originSession: this.#originSession,
      }),
    );
    await Promise.allSettled(taken);
  }
}
