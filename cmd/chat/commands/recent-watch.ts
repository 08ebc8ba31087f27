import type { Client } from "../../../client/index.ts";

/** Users that a client may watch at a time; the library refuses more. */
const MOST_WATCHED = 100;

/**
 * Watches the users of chats, the most recent first, until it is stopped: programs have no screen, so nothing says
 * whose presence they want. Users are added and never taken away; after 100 no more are. Returns how to stop.
 */
export function watchRecent(client: Client): () => void {
  const users = new Set<string>();
  const add = (peer: string | undefined) =>
    peer !== undefined && users.size < MOST_WATCHED && users.add(peer);
  return client.on((event) => {
    const before = users.size;
    if (event.type === "caught_up") for (const { peer } of client.threads()) add(peer);
    else if (event.type === "thread_changed" && client.state.phase === "live") add(event.thread.peer);
    if (users.size > before) client.watch(users);
  });
}
