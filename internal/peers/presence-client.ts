import type { ShownPresence } from "../base/presence.ts";
import type { PresenceInstance } from "../presence/ports.ts";
import type { PresenceAttachment, PresenceLink } from "../push/ports.ts";
import { CALL_MS } from "../rpc/links/budget.ts";
import type { LinkContext } from "../rpc/links/item-stream.ts";
import { type LinkCaller, LinkClient } from "../rpc/links/link-client.ts";
import { hears } from "../rpc/links/link-methods.ts";
import type { LinkStream } from "../rpc/links/link-stream.ts";
import { PRESENCE, toStatus } from "./presence-methods.ts";

/**
 * One presence instance of another program, as thread and message servers and the other instances ask it. All of them are
 * told by `EveryInstance`.
 */
export class PresenceClient implements PresenceInstance {
  readonly #link: LinkCaller;

  constructor(link: LinkCaller) {
    this.#link = link;
  }

  /** As the port. Rejects where the instance may not have heard it: the caller tells it until it has. */
  async blockChanged(a: string, b: string): Promise<void> {
    await this.#link.call(PRESENCE.blockChanged, { userIds: [a, b] }, CALL_MS);
  }

  async membersChanged(userIds: readonly string[]): Promise<void> {
    await this.#link.call(PRESENCE.membersChanged, { userIds: [...userIds] }, CALL_MS);
  }

  async visibilityChanged(userId: string, hides: boolean): Promise<void> {
    await this.#link.call(PRESENCE.visibilityChanged, { userId, hides }, CALL_MS);
  }

  async presencesOf(userIds: readonly string[]): Promise<ReadonlyMap<string, ShownPresence>> {
    const answer = await this.#link.call(PRESENCE.presencesOf, { userIds: [...userIds] }, CALL_MS);
    return new Map(
      answer.presences.map(({ userId, status, lastSeenAtMs }) => [
        userId,
        { status: toStatus(status), lastSeenAtMs },
      ]),
    );
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
    /** Ups and downs of the push server's sessions, or with `ring` a digest of all that it holds for this instance. */
    report: async ({ ring, ups, downs }) => {
      const request = {
        // An empty ring and none are the same bytes, and mean the opposite: so it is said apart.
        isDigest: ring !== undefined,
        ring: [...(ring ?? [])],
        ups: [...ups],
        downs: [...downs],
      };
      await client.call(PRESENCE.report, request, CALL_MS);
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
