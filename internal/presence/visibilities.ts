import { VISIBILITIES } from "./limits.ts";
import type { Visibility, VisibilityStore } from "./ports.ts";

/**
 * Who sees users' presence, with a bounded memory before the store. What is set here is what every later look
 * finds, from before `set` resolves on; a read that began earlier cannot put an older value back.
 */
export class Visibilities {
  readonly #store: VisibilityStore;
  readonly #known = new Map<string, Visibility>();
  /** The newest read of a user that is under way, and that nothing has overtaken. */
  readonly #reading = new Map<string, object>();

  constructor(store: VisibilityStore) {
    this.#store = store;
  }

  /** What is remembered; undefined if it must be read. For hot paths. */
  known(userId: string): Visibility | undefined {
    return this.#known.get(userId);
  }

  /** Rejects with STORE_UNAVAILABLE if it is not remembered and cannot be read. */
  async readVisibility(userId: string): Promise<Visibility> {
    const known = this.#known.get(userId);
    if (known) {
      this.#known.delete(userId);
      this.#known.set(userId, known);
      return known;
    }
    const mark = {};
    this.#reading.set(userId, mark);
    try {
      const visibility = await this.#store.readVisibility(userId);
      if (this.#reading.get(userId) === mark) this.#remember(userId, visibility);
      return visibility;
    } finally {
      if (this.#reading.get(userId) === mark) this.#reading.delete(userId);
    }
  }

  /** Resolves when it is stored and in force here. If it rejects, either may be stored, and is read anew. */
  async setVisibility(userId: string, visibility: Visibility): Promise<void> {
    try {
      await this.#store.setVisibility(userId, visibility);
      this.#remember(userId, visibility);
    } catch (error) {
      this.#known.delete(userId);
      throw error;
    } finally {
      this.#reading.delete(userId); // What was read before is not remembered any more.
    }
  }

  #remember(userId: string, visibility: Visibility): void {
    this.#known.set(userId, visibility);
    if (this.#known.size <= VISIBILITIES) return;
    for (const longestUnused of this.#known.keys()) {
      this.#known.delete(longestUnused);
      break;
    }
  }
}
