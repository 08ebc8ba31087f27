import { LEARN_MS } from "./limits.ts";

/**
 * What an instance does not know yet: the users it has come to own, until every registered push server has sent its
 * digest since, or LEARN_MS have passed (docs/design.md, section 8). Times are monotonic ms.
 */
export class Learning {
  /** Users that the instance owns only since then. */
  readonly covers: (userId: string) => boolean;
  readonly #sinceMs: number;
  readonly #heard = new Set<string>();

  constructor(sinceMs: number, covers: (userId: string) => boolean) {
    this.#sinceMs = sinceMs;
    this.covers = covers;
  }

  /** A push server has sent its digest. */
  heard(server: string): void {
    this.#heard.add(server);
  }

  /** Whether the time has come. */
  isOver(nowMs: number, registered: readonly string[]): boolean {
    return nowMs - this.#sinceMs >= LEARN_MS || registered.every((server) => this.#heard.has(server));
  }
}
