import type { NoteStore } from "./notes.ts";

/** What was typed and not sent, per user and chat, kept in this browser. */
export class Drafts {
  readonly #storage: NoteStore;
  readonly #prefix: string;

  constructor(storage: NoteStore, userId: string) {
    this.#storage = storage;
    this.#prefix = `heddle.draft.${userId}/`;
  }

  /** "" if there is none. */
  draftOf(chatId: string): string {
    return this.#storage.getItem(this.#prefix + chatId) ?? "";
  }

  /** Keeps a draft; an empty one is forgotten. */
  keepDraft(chatId: string, text: string): void {
    const key = this.#prefix + chatId;
    if (text === "") this.#storage.removeItem(key);
    else this.#storage.setItem(key, text);
  }
}
