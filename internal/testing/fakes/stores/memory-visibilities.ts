import { storeUnavailable } from "../../../base/heddle-error.ts";
import type { Visibilities } from "../../../message/ports.ts";

/** Who hides, in a test's hand. */
export class MemoryVisibilities implements Visibilities {
  readonly #hidden = new Set<string>();
  /** Nothing is remembered: it must be read. */
  isForgetful = false;
  /** The store is away. */
  isAway = false;

  hide(userId: string): void {
    this.#hidden.add(userId);
  }

  show(userId: string): void {
    this.#hidden.delete(userId);
  }

  known(userId: string): "shared" | "nobody" | undefined {
    return this.isForgetful || this.isAway ? undefined : this.#of(userId);
  }

  async readVisibility(userId: string): Promise<"shared" | "nobody"> {
    if (this.isAway) throw storeUnavailable("thread");
    return this.#of(userId);
  }

  #of(userId: string): "shared" | "nobody" {
    return this.#hidden.has(userId) ? "nobody" : "shared";
  }
}
