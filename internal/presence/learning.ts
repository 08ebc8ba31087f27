import type { RingView } from "../base/ring.ts";
import { LEARN_MS } from "./limits.ts";

/**
 * What an instance does not know yet: the users it has come to own, until every registered push server has sent a digest
 * that is whole for them, or LEARN_MS have passed (docs/design.md, section 8). Nothing is concluded while the push servers
 * are not known. Times are monotonic ms.
 */
export class Learning {
  /** Users that the instance owns only since then. */
  readonly covers: (userId: string) => boolean;
  readonly #sinceMs: number;
  /** Of each push server the ring of its last digest. */
  readonly #heard = new Map<string, readonly string[]>();

  constructor(sinceMs: number, covers: (userId: string) => boolean) {
    this.#sinceMs = sinceMs;
    this.covers = covers;
  }

  /** A push server has sent a whole digest, of the users that the instance owns among `ring`. */
  heard(server: string, ring: readonly string[]): void {
    this.#heard.set(server, ring);
  }

  /**
   * Whether the time has come. `ring`: the names of the instances by which this one owns what it does. Among fewer it
   * owns all of that, and more; among others it may own less, and a digest by these left some out.
   */
  isOver(nowMs: number, pushServers: RingView, ring: ReadonlySet<string>): boolean {
    if (pushServers.state === "not_loaded") return false;
    if (nowMs - this.#sinceMs >= LEARN_MS) return true;
    return pushServers.members.every(({ name }) =>
      this.#heard.get(name)?.every((instance) => ring.has(instance)),
    );
  }
}
