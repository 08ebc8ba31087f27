import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import type { Seen } from "./history.ts";
import { isWithin, meets, NEVER, type Spells, spellsOf } from "./spells.ts";

/** Which of two users with a direct thread may see the other, as far as a history surely tells. */
export class Sight {
  readonly #hidden: ReadonlyMap<string, Spells>;
  readonly #blocked: ReadonlyMap<string, Spells>;
  readonly #firstSentMs = new Map<string, number>();
  readonly #threads = new Map<string, string>();

  constructor(history: readonly Seen[]) {
    this.#hidden = spellsOf(history, "hide", "show", ({ user }) => user);
    this.#blocked = spellsOf(history, "block", "unblock", ({ user, about }) => `${user} ${about}`);
    for (const seen of history) {
      if (seen.type === "sent" && !this.#firstSentMs.has(seen.thread))
        this.#firstSentMs.set(seen.thread, seen.atMs);
    }
  }

  /** The id of the direct thread of two users, in hex. */
  threadOf(a: string, b: string): string {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    const id = this.#threads.get(key) ?? hex(directThreadId(a, b));
    this.#threads.set(key, id);
    return id;
  }

  /** Whether `viewer` surely may see `user` over a stretch of time. */
  isOpen(viewer: string, user: string, fromMs: number, untilMs: number): boolean {
    const sentMs = this.#firstSentMs.get(this.threadOf(viewer, user));
    const barred = this.#barriers(viewer, user).some(({ maybe }) => meets(maybe, fromMs, untilMs));
    return sentMs !== undefined && sentMs <= fromMs && !barred;
  }

  /** Whether `viewer` surely may not see `user`, and could not for so long. */
  isShut(viewer: string, user: string, atMs: number, forMs: number): boolean {
    return this.#barriers(viewer, user).some(({ sure }) => isWithin(sure, atMs, forMs));
  }

  /** Whether there is surely a block between two users, and was for so long. */
  isBlocked(a: string, b: string, atMs: number, forMs: number): boolean {
    return this.#blocks(a, b).some(({ sure }) => isWithin(sure, atMs, forMs));
  }

  #barriers(viewer: string, user: string): Spells[] {
    return [this.#hidden.get(user) ?? NEVER, ...this.#blocks(viewer, user)];
  }

  #blocks(a: string, b: string): Spells[] {
    return [this.#blocked.get(`${a} ${b}`) ?? NEVER, this.#blocked.get(`${b} ${a}`) ?? NEVER];
  }
}
