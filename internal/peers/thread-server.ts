import type { Threads } from "../push/ports.ts";
import { hears, type NoticeHandler } from "../rpc/links/link-methods.ts";
import { type LinkHandler, serves } from "../rpc/links/link-server.ts";
import { THREAD } from "./thread-methods.ts";

/**
 * Serves the thread service to push servers. Clients reach it by its public calls; what stands here acts for a user
 * without a token, so that only programs of the deployment may dial it.
 */
export function threadHandlers(threads: Threads): {
  readonly handlers: LinkHandler[];
  readonly notices: NoticeHandler[];
} {
  return {
    handlers: [
      serves(THREAD.sync, async ({ userId, cursor, pageToken }) => {
        const page = await threads.sync(userId, cursor, pageToken);
        return { threads: [...page.threads], nextPageToken: page.nextPageToken, cursor: page.cursor };
      }),
      serves(THREAD.groups, async ({ userId }) => ({ threadIds: [...(await threads.groups(userId))] })),
      serves(THREAD.revoked, async ({ userId, deviceIds }) => ({
        userId,
        deviceIds: [...(await threads.revoked(userId, deviceIds))],
      })),
    ],
    notices: [hears(THREAD.deviceUsed, ({ userId, deviceId }) => threads.deviceUsed(userId, deviceId))],
  };
}
