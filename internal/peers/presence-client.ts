import type { PresenceAttachment, PresenceLink } from "../push/ports.ts";
import { CALL_MS } from "../rpc/links/budget.ts";
import type { LinkContext } from "../rpc/links/item-stream.ts";
import { type LinkCaller, LinkClient } from "../rpc/links/link-client.ts";
import { hears } from "../rpc/links/link-methods.ts";
import type { LinkStream } from "../rpc/links/link-stream.ts";
import type { Presence } from "../thread/ports.ts";
import { PRESENCE, toStatus } from "./presence-methods.ts";

/** One presence instance of another program, as the thread service asks it. All instances are its caller's matter. */
export class PresenceClient implements Presence {
  readonly #link: LinkCaller;

  constructor(link: LinkCaller) {
    this.#link = link;
  }

  async blockChanged(a: string, b: string): Promise<void> {
    await this.#link.call(PRESENCE.blockChanged, { userIds: [a, b] }, CALL_MS);
  }

  async membersChanged(userIds: readonly string[]): Promise<void> {
    await this.#link.call(PRESENCE.membersChanged, { userIds: [...userIds] }, CALL_MS);
  }
}

/** Attaches a push server over a stream that was dialled to an instance. A refused attachment ends the link. */
export function attachPresence(
  context: LinkContext,
  stream: LinkStream,
  link: PresenceLink,
): PresenceAttachment {
  let hasSaidGoodbye = false;
  const client = new LinkClient({
    ...context,
    stream,
    service: "presence",
    notices: [
      hears(PRESENCE.told, ({ userId, status, lastSeenAtMs, sessions }) =>
        link.told(userId, { status: toStatus(status), lastSeenAtMs }, sessions),
      ),
    ],
    closed: () => {
      if (!hasSaidGoodbye) link.closed();
    },
  });
  client.call(PRESENCE.attach, { name: link.name }, CALL_MS).catch(() => client.close());
  return {
    report: async ({ isDigest, ups, downs }) => {
      await client.call(PRESENCE.report, { isDigest, ups: [...ups], downs: [...downs] }, CALL_MS);
    },
    watch: async ({ session, viewerId }, userIds) => {
      await client.call(PRESENCE.watch, { session, viewerId, userIds: [...userIds] }, CALL_MS);
    },
    unwatch: (session, userIds) => client.notify(PRESENCE.unwatch, { session, userIds: [...userIds] }),
    close: () => {
      hasSaidGoodbye = true;
      client.close();
    },
  };
}
