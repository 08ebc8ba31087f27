import { type Signal, signal } from "@preact/signals";
import { ChatModel } from "./chats/chat-model.ts";
import { Leftovers } from "./chats/leftovers.ts";
import { forgetChats, openClient } from "./chats/open-client.ts";
import { BrowserMemory } from "./memory/browser-memory.ts";
import { type Identity, storedIdentity, storeIdentity, storeLastName } from "./memory/identity.ts";
import { forgetInstallation, preferredSlot, rememberSlot } from "./memory/slot-memory.ts";
import { type Slot, takeSlot } from "./memory/slots.ts";
import type { Model } from "./model.ts";

/** What the page shows. */
export type Stage =
  | { readonly kind: "sign-in"; readonly notice: string }
  /** Reading storage; lasts some milliseconds. */
  | { readonly kind: "opening" }
  /** All slots are taken by other tabs; goes on by itself. */
  | { readonly kind: "full"; readonly userId: string }
  /** The session cannot be held in this browser. */
  | { readonly kind: "unable"; readonly problem: string }
  | { readonly kind: "chat"; readonly model: Model };

/**
 * The page from sign-in to sign-out. In order: identity, slot, client; a sign-out undoes them in reverse, and each
 * sign-in has its own signal, which ends whatever of it is still under way.
 */
export class Page {
  readonly stage: Signal<Stage> = signal({ kind: "opening" });
  readonly memory: BrowserMemory;
  /** Ends the session that is under way, whatever stage it is in. */
  #end = new AbortController();
  /**
   * Resolves when the session before has let go of its slot and storage. The next one waits for it: both would write
   * the same database.
   */
  #closing: Promise<void> = Promise.resolve();

  constructor(window: Window) {
    this.memory = new BrowserMemory(window);
  }

  /** Goes on as the user who is signed in at this tab, else asks. */
  start(): void {
    const identity = storedIdentity(this.memory.tab);
    if (identity) void this.#open(identity);
    else this.stage.value = { kind: "sign-in", notice: "" };
  }

  /**
   * Notes who it is for this tab, and opens the session. The sign-in screen calls it; the token was not checked yet.
   */
  signIn(identity: Identity): void {
    storeIdentity(this.memory.tab, identity);
    storeLastName(this.memory.browser, identity.userId);
    void this.#open(identity);
  }

  /** Ends the session and asks anew, saying `notice`. Of the chats only unsent messages stay in this browser. */
  signOut(notice = ""): void {
    const stage = this.stage.peek();
    const connection = stage.kind === "chat" ? stage.model.connection.peek() : undefined;
    if (connection?.phase === "ended" && connection.why === "revoked") {
      // Under its old id the device would be refused for ever.
      forgetInstallation(this.memory.browser);
    }
    this.#end.abort(new Error("signed out"));
    storeIdentity(this.memory.tab, undefined);
    // At once: closing goes on behind it, and is waited for only by the next sign-in.
    this.stage.value = { kind: "sign-in", notice };
  }

  /** From identity to chat. What fails is shown as a stage; a sign-out in between ends it silently. */
  async #open(identity: Identity): Promise<void> {
    this.#end.abort(new Error("signed in anew"));
    this.#end = new AbortController();
    const { signal } = this.#end;
    this.stage.value = { kind: "opening" };
    try {
      await this.#closing;
      const slot = await this.#takeSlot(identity, signal);
      await this.#run(identity, slot, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.stage.value = { kind: "unable", problem: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Waits for a slot, for as long as other tabs hold all of them. Rejects where the browser has no locks at all. */
  async #takeSlot(identity: Identity, signal: AbortSignal): Promise<Slot> {
    const { window, tab, browser } = this.memory;
    const { locks } = window.navigator;
    if (!locks) {
      throw new Error(
        "This browser gives a page its locks on https or on this machine only. Use such an address.",
      );
    }
    const slot = await takeSlot({
      locks,
      preferred: preferredSlot(tab, browser, identity.userId),
      onFull: () => {
        this.stage.value = { kind: "full", userId: identity.userId };
      },
      signal,
    });
    rememberSlot(tab, slot.number);
    return slot;
  }

  /** Shows the chat, and ends it with the signal. */
  async #run(identity: Identity, slot: Slot, signal: AbortSignal): Promise<void> {
    const { memory } = this;
    memory.areChatsKept.value = true;
    const client = await openClient(identity, slot.number, memory, (isKept) => {
      memory.areChatsKept.value = isKept;
    }).catch((error) => {
      slot.release();
      throw error;
    });
    // Before the model, which shows what it finds.
    const leftovers = new Leftovers(client, identity, slot.number, memory);
    const model = new ChatModel(client, memory);
    this.#closing = new Promise((resolve) => {
      const end = async () => {
        await Promise.allSettled([leftovers.close(), model.close()]);
        // Signed out on a shared machine, a person leaves no chats behind; what is not sent yet would be lost with
        // them.
        if (client.outbox().length === 0) forgetChats(identity.userId, slot.number, memory.window);
        slot.release();
        resolve();
      };
      if (signal.aborted) return void end();
      signal.addEventListener("abort", () => void end(), { once: true });
      this.stage.value = { kind: "chat", model };
    });
  }
}
