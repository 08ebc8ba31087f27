import type { Member, Ring } from "../base/ring.ts";
import type { Streams } from "../gateway/ports.ts";
import { CALL_MS } from "../rpc/links/budget.ts";
import type { LinkCaller } from "../rpc/links/link-client.ts";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";
import { PUSH } from "./push-methods.ts";

/**
 * The push servers of other programs, as the gateway needs them. All are asked, those that are leaving too, and all must
 * answer: a device that is left out would be signed out to make room for another while its user looks at it. It is asked
 * only for a user who has as many devices as one may, so that one push server that is gone keeps nobody else out.
 */
export class PushClients implements Streams {
  readonly #servers: Pick<Ring, "view">;
  readonly #link: (server: Member) => LinkCaller;

  /** `servers`: the mirror of all that are registered. */
  constructor(servers: Pick<Ring, "view">, link: (server: Member) => LinkCaller) {
    this.#servers = servers;
    this.#link = link;
  }

  /** Rejects with PEER_UNAVAILABLE where a push server does not answer, or it is not known yet which there are. */
  async devicesOf(userId: string): Promise<readonly string[]> {
    const { state, members } = this.#servers.view();
    if (state === "not_loaded") throw peerUnavailable("push");
    const ask = async (server: Member) =>
      (await this.#link(server).call(PUSH.devicesOf, { userId }, CALL_MS)).deviceIds;
    return [...new Set((await Promise.all(members.map(ask))).flat())];
  }
}
