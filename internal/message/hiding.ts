import type { Visibilities } from "./ports.ts";

/**
 * Who hides: of them the others are told neither that they are offline nor what was delivered (docs/design.md,
 * section 4). Members of one thread share it, so visibility decides. Where it cannot be read, they hide.
 */
export class Hiding {
  readonly #visibilities: Visibilities | undefined;

  /** Without a port nobody hides. */
  constructor(visibilities: Visibilities | undefined) {
    this.#visibilities = visibilities;
  }

  /** Calls back once, at once if it is remembered: the hot path makes no promise. `act` must not throw. */
  of(userId: string, act: (isHidden: boolean) => void): void {
    const known = this.#visibilities ? this.#visibilities.known(userId) : "shared";
    if (known) act(known === "nobody");
    else void this.read(userId).then(act);
  }

  /** Whether the user hides. Never rejects. */
  async read(userId: string): Promise<boolean> {
    if (!this.#visibilities) return false;
    try {
      return (await this.#visibilities.read(userId)) === "nobody";
    } catch {
      return true;
    }
  }
}
