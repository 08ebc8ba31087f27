import { fromHex } from "../../internal/base/ids.ts";
import { MessageService } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import type { Calls } from "../stream/calls.ts";
import { toReceipt } from "../transport/wire.ts";
import type { Threads } from "./threads.ts";

/** Who shows what was read: the sends that are followed (outbox/sends.ts). */
export interface Ticks {
  /** Somebody got further in a thread. */
  advance(threadId: string): void;
  /** Threads with sends that are not read yet. */
  threads(): ReadonlySet<string>;
}

/** Reads how far the members of a thread have got: what was said while this device was away. */
export class ReceiptReader {
  readonly #calls: Calls;
  readonly #threads: Threads;
  readonly #ticks: Ticks;

  constructor(calls: Calls, threads: Threads, ticks: Ticks) {
    this.#calls = calls;
    this.#threads = threads;
    this.#ticks = ticks;
  }

  /** Reads those of one thread; of a large group none are shown. Rejects as the call does. */
  async refresh(threadId: string, signal?: AbortSignal): Promise<void> {
    if (this.#threads.get(threadId)?.row?.group?.isLarge) return;
    const request = { threadId: fromHex(threadId) };
    const answer = await this.#calls.call(MessageService.method.listReceipts, request, signal);
    for (const wire of answer.receipts) this.#threads.takeReceipt(toReceipt(wire), Number(wire.readOrdinal));
    this.#ticks.advance(threadId);
  }

  /** Reads those of every thread before a person, or with sends whose ticks may still change. */
  refreshWatched(): void {
    const watched = new Set(this.#ticks.threads());
    for (const state of this.#threads.all()) if (state.log.isOpen) watched.add(state.threadId);
    // What fails is read again when the next session is caught up.
    for (const threadId of watched) this.refresh(threadId).catch(() => {});
  }
}
