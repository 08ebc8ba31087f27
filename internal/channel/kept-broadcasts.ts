import type { Clock } from "../base/clock.ts";
import type { Publication } from "../base/publication.ts";
import { publicationBytes } from "./attached-link.ts";

/** How long a broadcast is kept, in ms: by then a push server whose link broke has attached again. */
export const BROADCAST_KEPT_MS = 60_000;

/** What is kept at most, in bytes. The oldest goes first: its publisher repairs it all the same. */
const KEPT_BYTES = 8 * 1024 * 1024;

/** What was broadcast lately, for links that attach later: a push server without a link then would miss it. */
export class KeptBroadcasts {
  readonly #clock: Clock;
  #kept: { readonly untilMs: number; readonly publication: Publication }[] = [];
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(publication: Publication): void {
    const untilMs = this.#clock.monotonicMs() + BROADCAST_KEPT_MS;
    this.#kept.push({ untilMs, publication });
    this.#bytes += publicationBytes(publication);
    if (this.#kept.length === 1) this.#clock.after(BROADCAST_KEPT_MS, this.#expire);
    while (this.#bytes > KEPT_BYTES) this.#drop();
  }

  /** In the order in which they came. */
  all(): readonly Publication[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#kept.filter(({ untilMs }) => untilMs > nowMs).map(({ publication }) => publication);
  }

  #drop(): void {
    const oldest = this.#kept.shift();
    if (oldest) this.#bytes -= publicationBytes(oldest.publication);
  }

  readonly #expire = (): void => {
    const nowMs = this.#clock.monotonicMs();
    while (this.#kept[0] && this.#kept[0].untilMs <= nowMs) this.#drop();
    const [oldest] = this.#kept;
    if (oldest) this.#clock.after(oldest.untilMs - nowMs, this.#expire);
  };
}
