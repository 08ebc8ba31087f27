import { Code, ErrorReason, HeddleError } from "../../internal/base/heddle-error.ts";
import type { OutboxItem } from "../model/model.ts";

/** A send under way. It follows its text: if that had to be sent under a new client_id, `item` shows the new one. */
export interface Send {
  /** As it stands now. */
  readonly item: OutboxItem;
  /** Resolves when it is sent (or further). Rejects with its HeddleError when it has failed, or as the signal does. */
  outcome(signal?: AbortSignal): Promise<OutboxItem>;
  /** Every state from now on, the present one first; ends at read, failed, or with the signal. Skips to the newest. */
  updates(signal?: AbortSignal): AsyncIterable<OutboxItem>;
}

/** A send under way, fed by the outbox. */
export class TrackedSend implements Send {
  #item: OutboxItem;
  #isClosed = false;
  readonly #waiting = new Set<() => void>();

  constructor(item: OutboxItem) {
    this.#item = item;
  }

  get item(): OutboxItem {
    return this.#item;
  }

  /** Takes the newest state. */
  update(item: OutboxItem): void {
    this.#item = item;
    this.#wake();
  }

  /** Says that the client is closed: nothing more will come. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async outcome(signal?: AbortSignal): Promise<OutboxItem> {
    for (;;) {
      const { state, error } = this.#item;
      if (state === "sent" || state === "delivered" || state === "read") return this.#item;
      if (state === "failed") throw error ?? new HeddleError(Code.UNKNOWN, ErrorReason.UNSPECIFIED, "failed");
      if (this.#isClosed) {
        throw new HeddleError(
          Code.CANCELLED,
          ErrorReason.UNSPECIFIED,
          "the client is closed; the send is kept",
        );
      }
      await this.#change(signal);
      signal?.throwIfAborted();
    }
  }

  async *updates(signal?: AbortSignal): AsyncGenerator<OutboxItem> {
    let seen: OutboxItem | undefined;
    while (!signal?.aborted) {
      if (seen !== this.#item) {
        seen = this.#item;
        yield seen;
        continue;
      }
      if (seen.state === "read" || seen.state === "failed" || this.#isClosed) return;
      await this.#change(signal);
    }
  }

  /** Resolves at the next change, or when the signal aborts. */
  #change(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
