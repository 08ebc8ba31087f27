import type { Clock } from "../../../base/clock.ts";

/** What time it is on a machine, or, while it is lent another clock, by that. */
export class LentClock {
  lent: Clock | undefined;
  readonly #own: Clock;

  constructor(own: Clock) {
    this.#own = own;
  }

  nowMs(): number {
    return (this.lent ?? this.#own).nowMs();
  }
}
