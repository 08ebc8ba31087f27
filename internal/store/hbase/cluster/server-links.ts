import type { Clock } from "../../../base/clock.ts";
import type { Driver, FindRoute, ServerAddress, ServerLink } from "../wall/driver.ts";

export interface ServerLinksInit {
  readonly driver: Driver;
  readonly findRoute: FindRoute;
  readonly clock: Clock;
}

/** One link to each server that is spoken to, made when it is first needed and again when it has closed. */
export class ServerLinks {
  readonly #init: ServerLinksInit;
  readonly #links = new Map<ServerAddress, ServerLink>();

  constructor(init: ServerLinksInit) {
    this.#init = init;
  }

  /** What has come of answers that are not whole yet, in bytes. */
  get partialBytes(): number {
    let bytes = 0;
    for (const link of this.#links.values()) bytes += link.partialBytes;
    return bytes;
  }

  link(address: ServerAddress): ServerLink {
    const known = this.#links.get(address);
    if (known && !known.isClosed) return known;
    const { driver, findRoute, clock } = this.#init;
    const link: ServerLink = driver({
      address,
      findRoute,
      clock,
      onClosed: () => {
        if (this.#links.get(address) === link) this.#links.delete(address);
      },
    });
    this.#links.set(address, link);
    return link;
  }

  close(): void {
    for (const link of [...this.#links.values()]) link.close();
  }
}
