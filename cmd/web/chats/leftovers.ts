import type { Client } from "../../../client/index.ts";
import type { BrowserMemory } from "../memory/browser-memory.ts";
import type { Identity } from "../memory/identity.ts";
import { noteWaiting, slotsWithSendable } from "../memory/slot-memory.ts";
import { holdSlot, type Slot } from "../memory/slots.ts";
import { openClient } from "./open-client.ts";

/** How often a tab looks for messages that a closed tab left behind. */
const LOOK_EVERY_MS = 30_000;

/**
 * Sends what closed tabs of this user left in their outboxes. Each slot's outbox is sent by the tab that holds the slot;
 * so this takes the free slot, with its device and storage, lets a client of its own send what is there, and gives it
 * back. It looks when this tab's session comes up, and every half minute.
 */
export class Leftovers {
  readonly #client: Client;
  readonly #identity: Identity;
  /** The slot of this tab, which sends for itself. */
  readonly #slot: number;
  readonly #memory: BrowserMemory;
  readonly #timer: number;
  readonly #unsubscribe: () => void;
  #underWay: Promise<void> | undefined;
  readonly #closed = new AbortController();

  constructor(client: Client, identity: Identity, slot: number, memory: BrowserMemory) {
    this.#client = client;
    this.#identity = identity;
    this.#slot = slot;
    this.#memory = memory;
    this.#note(client, slot);
    this.#unsubscribe = client.on((event) => {
      if (event.type === "outbox") this.#note(client, slot);
      if (event.type === "state") this.#look();
    });
    this.#timer = memory.window.setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#unsubscribe();
    this.#memory.window.clearInterval(this.#timer);
    await this.#underWay;
  }

  #look(): void {
    if (this.#underWay || this.#closed.signal.aborted || this.#client.state.phase !== "live") return;
    this.#underWay = this.#sendAll().finally(() => {
      this.#underWay = undefined;
    });
  }

  /** One slot after the other. One that another tab holds is that tab's to send. */
  async #sendAll(): Promise<void> {
    const { browser, window } = this.#memory;
    for (const number of slotsWithSendable(browser, this.#identity.userId, this.#slot)) {
      const slot = await holdSlot(window.navigator.locks, number);
      if (slot) await this.#send(slot).finally(() => slot.release());
    }
  }

  async #send(slot: Slot): Promise<void> {
    const client = await openClient(this.#identity, slot.number, this.#memory);
    try {
      await new Promise<void>((resolve) => {
        const look = () => {
          // Failed ones stay: only a person can retry or delete them.
          if (this.#note(client, slot.number) === 0 || client.state.phase === "signed-out") resolve();
        };
        client.on(look);
        this.#closed.signal.addEventListener("abort", () => resolve());
        if (this.#closed.signal.aborted) resolve();
        look();
      });
    } finally {
      await client.close();
    }
  }

  /** Keeps the notes of a slot true; returns how many messages will go by themselves. */
  #note(client: Client, slot: number): number {
    const items = client.outbox();
    const failed = items.filter((item) => item.state === "failed").length;
    const sendable = items.length - failed;
    noteWaiting(this.#memory.browser, this.#identity.userId, slot, { sendable, failed });
    return sendable;
  }
}
