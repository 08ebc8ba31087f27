import type { Membership } from "./group/membership.ts";
import type { Sights, Visibilities } from "./ports.ts";

export interface HidingPorts {
  /** Without it nobody hides. */
  readonly visibilities?: Visibilities | undefined;
  /** Without it all who share a thread show to one another. */
  readonly sights?: Sights | undefined;
}

/**
 * The users of which the others of a thread are told neither that they are offline nor what was delivered (docs/design.md,
 * section 4): of those who hide, and of those who are not shown to them (section 8). Of a group everybody is told the
 * same, so there only what one has done in that group itself shows one. What cannot be read is taken as hidden.
 */
export class Hiding {
  readonly #visibilities: Visibilities | undefined;
  readonly #sights: Sights | undefined;

  constructor({ visibilities, sights }: HidingPorts = {}) {
    this.#visibilities = visibilities;
    this.#sights = sights;
  }

  /** Calls back once, at once if all is remembered: the hot path makes no promise. `act` must not throw. */
  checkHidden(thread: Membership, userId: string, act: (isHidden: boolean) => void): void {
    const known = this.#visibilities ? this.#visibilities.known(userId) : "shared";
    if (known && (!this.#sights || thread.writers.has(userId))) act(known === "nobody");
    else void this.isHidden(thread, userId).then(act);
  }

  /** The same as a promise. Never rejects. */
  async isHidden(thread: Membership, userId: string): Promise<boolean> {
    try {
      if ((await this.#visibilities?.readVisibility(userId)) === "nobody") return true;
      return !(await this.isShown(thread, userId));
    } catch {
      return true;
    }
  }

  /** Whether the others of the thread may see the user, if it does not hide. Rejects as the store does. */
  async isShown(thread: Membership, userId: string): Promise<boolean> {
    if (!this.#sights || thread.writers.has(userId)) return true;
    const since = thread.memberSince(userId);
    if (await this.#sights.hasWritten(thread.threadId, userId)) {
      if (since !== undefined) thread.writers.addWriter(userId, since);
      return true;
    }
    const [other] = thread.participants.filter((one) => one !== userId);
    return other !== undefined && this.#sights.shows(other, userId);
  }
}
