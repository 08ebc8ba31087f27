import { hex } from "../base/ids.ts";
import type { LogStore } from "./cells/log-store.ts";
import { sealCell, sealedTags } from "./cells/seal-cell.ts";
import { tooManySeals } from "./log/refusals.ts";

/** Sends that one who may not send may seal in one thread: each is an entry that all the others get. */
export const MAX_SEALS = 64;

/**
 * Counts the seals of those who may not send: ex-members of a group, and two users where one has blocked the other. Voids
 * name no one, so the log cannot tell; a cell for each send that they sealed does. It is written before the void, and a
 * seal that is repeated counts once. Of one who comes and goes all absences count together. Where several message servers
 * count at the same moment, each may let one pass that the others do not see yet; none is forgotten.
 */
export class Seals {
  readonly #store: LogStore;
  /** By thread and user, the newest call: one at a time, so that none counts past another. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(store: LogStore) {
    this.#store = store;
  }

  /** Counts a seal, durably. Rejects with TOO_MANY_SEALS, and with STORE_UNAVAILABLE. */
  async countSeal(threadId: Uint8Array, userId: string, tag: Uint8Array): Promise<void> {
    const key = `${hex(threadId)} ${userId}`;
    const before = this.#running.get(key) ?? Promise.resolve();
    const take = () => this.#take(threadId, userId, tag);
    const taking = before.then(take, take);
    this.#running.set(key, taking);
    try {
      await taking;
    } finally {
      if (this.#running.get(key) === taking) this.#running.delete(key);
    }
  }

  async #take(threadId: Uint8Array, userId: string, tag: Uint8Array): Promise<void> {
    const tags = sealedTags(await this.#store.sealsOf(threadId, userId), userId);
    if (tags.has(hex(tag))) return;
    if (tags.size >= MAX_SEALS) throw tooManySeals(MAX_SEALS);
    await this.#store.putSeal(threadId, sealCell(userId, tag));
  }
}
