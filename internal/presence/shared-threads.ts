import type { Acquaintances, Privacy } from "./ports.ts";
import type { Visibilities } from "./visibilities.ts";

/**
 * Whose presence a user may see: of those who do not hide, with whom there is no block, and with whom the user shares a
 * thread.
 */
export class SharedThreads implements Privacy {
  readonly #acquaintances: Acquaintances;
  readonly #visibilities: Visibilities;

  constructor(acquaintances: Acquaintances, visibilities: Visibilities) {
    this.#acquaintances = acquaintances;
    this.#visibilities = visibilities;
  }

  async maySee(viewer: string, user: string): Promise<boolean> {
    if (viewer === user) return false;
    if ((await this.#visibilities.read(user)) === "nobody") return false;
    if ((await this.#acquaintances.between(viewer, user)).length > 0) return false;
    return this.#acquaintances.shares(viewer, user);
  }
}
