import type { PresenceInstance } from "../presence/ports.ts";
import type { PresenceAttachment, PresenceLink } from "../push/ports.ts";
import { hears } from "../rpc/links/link-methods.ts";
import { type LinkBelow, LinkServer, serves } from "../rpc/links/link-server.ts";
import { fromStatus, PRESENCE } from "./presence-methods.ts";

/** A presence instance, with what push servers ask of it. */
type Serving = PresenceInstance & { attach(link: PresenceLink): PresenceAttachment };

/**
 * Serves one link to a presence instance: of a thread or message server, of another instance, or of a push server. A link that breaks is
 * a goodbye: its watches end with it, its sessions stay under their leases.
 */
export function servePresence(presence: Serving, below: LinkBelow): void {
  /** Set by `attach`: only a push server has one. */
  let attached: PresenceAttachment | undefined;
  const attachment = (): PresenceAttachment => {
    if (!attached) throw new RangeError("asked before it was attached");
    return attached;
  };
  const link = (name: string): PresenceLink => ({
    name,
    // A notice: what does not get through ends the link, and the push server asks anew.
    told: (userId, { status, lastSeenAtMs }, sessions) =>
      server.notify(PRESENCE.told, {
        userId,
        status: fromStatus(status),
        lastSeenAtMs,
        sessions: [...sessions],
      }),
    closed: () => {
      attached = undefined;
      server.close();
    },
  });
  const server: LinkServer = new LinkServer({
    ...below,
    service: "presence",
    handlers: [
      serves(PRESENCE.attach, ({ name }) => {
        if (attached) throw new RangeError("attached twice");
        attached = presence.attach(link(name));
        return {};
      }),
      serves(PRESENCE.report, async ({ isDigest, ring, ups, downs }) => {
        await attachment().report({ ring: isDigest ? ring : undefined, ups, downs });
        return {};
      }),
      serves(PRESENCE.watch, async ({ session, viewerId, userIds }) => {
        await attachment().watch({ session, viewerId }, userIds);
        return {};
      }),
      serves(PRESENCE.blockChanged, async ({ userIds: [a = "", b = ""] }) => {
        await presence.blockChanged(a, b);
        return {};
      }),
      serves(PRESENCE.membersChanged, async ({ userIds }) => {
        await presence.membersChanged(userIds);
        return {};
      }),
      serves(PRESENCE.visibilityChanged, async ({ userId, hides }) => {
        await presence.visibilityChanged(userId, hides);
        return {};
      }),
      serves(PRESENCE.presencesOf, async ({ userIds }) => ({
        presences: Array.from(await presence.presencesOf(userIds), ([userId, { status, lastSeenAtMs }]) => ({
          userId,
          status: fromStatus(status),
          lastSeenAtMs,
        })),
      })),
    ],
    notices: [hears(PRESENCE.unwatch, ({ session, userIds }) => attachment().unwatch(session, userIds))],
    closed: () => {
      // Taken out first, so that the instance, which closes the link too, finds nothing left to end.
      const ended = attached;
      attached = undefined;
      ended?.close();
    },
  });
}
