import type { Acquaintances, Privacy } from "./ports.ts";
import type { Visibilities } from "./visibilities.ts";

/**
 * By what a user is shown to another one (docs/design.md, section 8). `written`: by what it has done in a thread that
 * both are in, so that nobody can make itself see a stranger. `shared-thread`: by any thread that both are in, for
 * deployments whose users all know one another.
 */
export type SightRule = "written" | "shared-thread";

/** Whose presence a user may see: of those who do not hide, who are not kept apart by a block, and who are shown by the rule. */
export class Sight implements Privacy {
  readonly #acquaintances: Acquaintances;
  readonly #visibilities: Visibilities;
  readonly #rule: SightRule;

  constructor(acquaintances: Acquaintances, visibilities: Visibilities, rule: SightRule = "written") {
    this.#acquaintances = acquaintances;
    this.#visibilities = visibilities;
    this.#rule = rule;
  }

  async maySee(viewer: string, user: string): Promise<boolean> {
    if (viewer === user) return false;
    if ((await this.#visibilities.readVisibility(user)) === "nobody") return false;
    if ((await this.#acquaintances.between(viewer, user)).length > 0) return false;
    return this.#rule === "written"
      ? this.#acquaintances.shows(viewer, user)
      : this.#acquaintances.shares(viewer, user);
  }
}
