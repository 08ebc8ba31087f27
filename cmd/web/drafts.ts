/** What was typed and not sent, per user and chat, kept in this browser. */
export class Drafts {
  readonly #storage: Storage;
  readonly #prefix: string;

  constructor(storage: Storage, userId: string) {
    this.#storage = storage;
    this.#prefix = `heddle.draft.${userId}/`;
  }

  /** "" if there is none. */
  of(chatId: string): string {
    return this.#storage.getItem(this.#prefix + chatId) ?? "";
  }

  /** Keeps a draft; an empty one is forgotten. A full storage is not worth an error: the text still stands there. */
  keep(chatId: string, text: string): void {
    const key = this.#prefix + chatId;
    try {
      if (text === "") this.#storage.removeItem(key);
      else this.#storage.setItem(key, text);
    } catch {
      this.#storage.removeItem(key);
    }
  }
}
