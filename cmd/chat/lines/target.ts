import type { Client, Conversation, Thread } from "../../../client/index.ts";
import { waitUntilLive } from "../device/open-client.ts";
import type { Settings } from "../device/settings.ts";
import { ChatError, EXIT } from "../exit-code.ts";
import { type NameOf, nameAndId } from "../text/display-name.ts";
import { oneLine } from "../text/safe-text.ts";
import { GROUP, named } from "../text/user-name.ts";

/**
 * What a conversation is called: the other user, by id or `name <id>`, or `+name` of a group. A group without a name
 * yet is shown by the first 8 digits of its thread id.
 */
export function titleOf(thread: Pick<Thread, "peer" | "name" | "threadId">, nameOf?: NameOf): string {
  if (thread.peer !== undefined) return nameAndId(thread.peer, nameOf);
  return thread.name === undefined ? thread.threadId.slice(0, 8) : `${GROUP}${oneLine(thread.name, 40)}`;
}

/** The conversation with a user, or of a group. Rejects with ChatError for a group that there is not, or not once. */
export async function conversationOf(
  client: Client,
  settings: Settings,
  target: string,
): Promise<Conversation> {
  const meant = named(target);
  if (meant.kind === "user") return await client.direct(meant.userId);
  return client.conversation((await groupOf(client, settings, target)).threadId);
}

/**
 * A group by `+name`, `group:name`, name, or its thread id or the beginning of it: what is known here, else what the
 * server knows. Rejects with ChatError if none is called so, or several are; then the ids that tell them apart are in
 * the message.
 */
export async function groupOf(client: Client, settings: Settings, target: string): Promise<Thread> {
  const wanted = target.replace(/^(\+|group:)/, "");
  let found = groupsCalled(client, wanted);
  if (found.length === 0) {
    await waitUntilLive(client, settings);
    found = groupsCalled(client, wanted);
  }
  const [group, second] = found;
  if (group && !second) return group;
  const ids = found.map((each) => `${GROUP}${each.threadId.slice(0, 8)}`).join(", ");
  throw new ChatError(
    EXIT.failed,
    group
      ? `more than one group is called ${oneLine(wanted, 40)}: ${ids}`
      : `you have no group ${oneLine(wanted, 40)}`,
  );
}

/**
 * A name wins over an id: a group may be called `abcdef`. Six digits at least, so that a short word is not read as one.
 */
function groupsCalled(client: Client, wanted: string): readonly Thread[] {
  const groups = client.threads().filter((thread) => thread.kind === "group");
  const named = groups.filter((group) => group.name?.toLowerCase() === wanted.toLowerCase());
  if (named.length > 0) return named;
  return /^[0-9a-f]{6,32}$/.test(wanted) ? groups.filter((group) => group.threadId.startsWith(wanted)) : [];
}
