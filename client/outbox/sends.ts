import type { Threads } from "../log/threads.ts";
import type { Events } from "../model/events.ts";
import type { OutboxItem } from "../model/model.ts";
import { TrackedSend } from "./send.ts";

/** Sends followed until they are read; beyond it the oldest that are sent are let go. */
const FOLLOWED = 1_000;

/** Follows each send from its first state to `read`, and says every change. */
export class Sends {
  readonly #threads: Pick<Threads, "get">;
  readonly #events: Events;
  /** By the client_id of the moment. */
  readonly #sends = new Map<string, TrackedSend>();

  constructor(threads: Pick<Threads, "get">, events: Events) {
    this.#threads = threads;
    this.#events = events;
  }

  /** The handle of a send, made if nobody has one. */
  follow(item: OutboxItem): TrackedSend {
    const known = this.#sends.get(item.clientId);
    if (known) return known;
    const send = new TrackedSend(item);
    this.#sends.set(item.clientId, send);
    if (this.#sends.size > FOLLOWED) this.#letGo();
    return send;
  }

  /** Lets the oldest go whose outcome is known; those without one are no more than the outbox holds. */
  #letGo(): void {
    for (const [clientId, send] of this.#sends) {
      if (send.item.seq === undefined) continue;
      send.close();
      this.#sends.delete(clientId);
      return;
    }
  }

  /** A send changed; `was` is its client_id before, if that has just changed. */
  update(item: OutboxItem, was?: string): void {
    const send = this.#sends.get(was ?? item.clientId) ?? this.follow(item);
    if (was !== undefined) {
      this.#sends.delete(was);
      this.#sends.set(item.clientId, send);
    }
    send.update(item);
    this.#events.emit({ type: "outbox", item });
    if (item.state === "read" || item.state === "failed") this.#sends.delete(item.clientId);
  }

  /** Somebody got further in a thread. */
  advance(threadId: string): void {
    const thread = this.#threads.get(threadId);
    if (!thread) return;
    for (const { item } of [...this.#sends.values()]) {
      if (item.threadId !== threadId || item.seq === undefined) continue;
      const state = thread.reached(item.seq);
      if (state !== "sent" && state !== item.state) this.update({ ...item, state });
    }
  }

  /** Threads with sends that are not read yet. */
  threads(): ReadonlySet<string> {
    const sent = [...this.#sends.values()].filter((send) => send.item.seq !== undefined);
    return new Set(sent.map((send) => send.item.threadId));
  }

  /** Nothing more will come. */
  close(): void {
    for (const send of this.#sends.values()) send.close();
    this.#sends.clear();
  }
}
