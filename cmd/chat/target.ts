import type { Client, Conversation, Thread } from "../../client/index.ts";
import { ChatError, EXIT } from "./exit-code.ts";
import { waitUntilLive } from "./open-client.ts";
import { oneLine } from "./safe-text.ts";
import { checkName, type Settings } from "./settings.ts";

/** Marks a group. No user's name begins with it, so nobody can name a group so that it is taken for a user. */
const GROUP = "+";

/** What a conversation is called: the other user, or `+name` of a group. */
export function titleOf(thread: Pick<Thread, "peer" | "name" | "threadId">): string {
  if (thread.peer !== undefined) return thread.peer;
  return thread.name === undefined ? thread.threadId.slice(0, 8) : `${GROUP}${oneLine(thread.name, 40)}`;
}

/** Throws ChatError unless it can be a user's name or a group. */
export function checkTarget(target: string): void {
  if (target.startsWith(GROUP) && target.length > 1) return;
  if (/[^a-z0-9._-]/.test(target)) {
    throw new ChatError(EXIT.wrongUse, `"${target}" is no user's name; a group is ${GROUP}name`);
  }
  checkName(target);
}

/** The conversation with a user, or of a group. Rejects with ChatError for a group that there is not, or not once. */
export async function conversationOf(
  client: Client,
  settings: Settings,
  target: string,
): Promise<Conversation> {
  checkTarget(target);
  if (!target.startsWith(GROUP)) return await client.direct(target);
  return client.conversation((await groupOf(client, settings, target)).threadId);
}

/** A group by `+name`, name, or its thread id or the beginning of it: what is known here, else what the server knows. */
export async function groupOf(client: Client, settings: Settings, target: string): Promise<Thread> {
  const wanted = target.startsWith(GROUP) ? target.slice(1) : target;
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

function groupsCalled(client: Client, wanted: string): readonly Thread[] {
  const groups = client.threads().filter((thread) => thread.kind === "group");
  const named = groups.filter((group) => group.name?.toLowerCase() === wanted.toLowerCase());
  if (named.length > 0) return named;
  return /^[0-9a-f]{6,32}$/.test(wanted) ? groups.filter((group) => group.threadId.startsWith(wanted)) : [];
}
