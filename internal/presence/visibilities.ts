import type { Clock } from "../base/clock.ts";
import { VISIBILITIES } from "./limits.ts";
import type { Visibility, VisibilityStore } from "./ports.ts";

/** How long what was read or set is remembered, in ms at each moment. */
export interface VisibilityMemory {
  readonly clock: Clock;
  readonly keptMs: () => number;
}

interface Known {
  readonly visibility: Visibility;
  readonly atMs: number;
}

/**
 * Who sees users' presence, with a bounded memory before the store. What is set here is what every later look
 * finds, from before `set` resolves on; a read that began earlier cannot put an older value back. What is set elsewhere
 * is found when that is told here (`forget`), and else when the memory is over.
 */
export class Visibilities {
  readonly #store: VisibilityStore;
  readonly #memory: VisibilityMemory | undefined;
  readonly #known = new Map<string, Known>();
  /** The newest read of a user that is under way, and that nothing has overtaken. */
  readonly #reading = new Map<string, object>();

  /** Without `memory` it is remembered for ever: where all who set it do so here, in one process. */
  constructor(store: VisibilityStore, memory?: VisibilityMemory) {
    this.#store = store;
    this.#memory = memory;
  }

  /** What is remembered; undefined if it must be read. For hot paths. */
  known(userId: string): Visibility | undefined {
    const known = this.#known.get(userId);
    if (!known || !this.#memory) return known?.visibility;
    const { clock, keptMs } = this.#memory;
    return clock.monotonicMs() - known.atMs < keptMs() ? known.visibility : undefined;
  }

  /** The user may have set it elsewhere: it is read anew, by whatever asks from now on. */
  forget(userId: string): void {
    this.#known.delete(userId);
    this.#reading.delete(userId);
  }

  /** All may have. */
  forgetAll(): void {
    this.#known.clear();
    this.#reading.clear();
  }

  /** Rejects with STORE_UNAVAILABLE if it is not remembered and cannot be read. */
  async readVisibility(userId: string): Promise<Visibility> {
    const known = this.#known.get(userId);
    if (known && this.known(userId)) {
      this.#known.delete(userId);
      this.#known.set(userId, known);
      return known.visibility;
    }
    const mark = {};
    const beganMs = this.#nowMs();
    this.#reading.set(userId, mark);
    try {
      const visibility = await this.#store.readVisibility(userId);
      if (this.#reading.get(userId) === mark) this.#remember(userId, visibility, beganMs);
      return visibility;
    } finally {
      if (this.#reading.get(userId) === mark) this.#reading.delete(userId);
    }
  }

  /**
   * Resolves when it is stored and in force here. If it rejects, either may be stored. It is read anew in either case:
   * another instance may have set it since.
   */
  async setVisibility(userId: string, visibility: Visibility): Promise<void> {
    try {
      await this.#store.setVisibility(userId, visibility);
    } finally {
      this.forget(userId); // What was read before is not remembered any more.
    }
  }

  #nowMs(): number {
    return this.#memory?.clock.monotonicMs() ?? 0;
  }

  #remember(userId: string, visibility: Visibility, atMs: number): void {
    this.#known.delete(userId);
    this.#known.set(userId, { visibility, atMs });
    if (this.#known.size <= VISIBILITIES) return;
    for (const longestUnused of this.#known.keys()) {
      this.#known.delete(longestUnused);
      break;
    }
  }
}
