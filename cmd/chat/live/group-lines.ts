import type { Client, Conversation } from "../../../client/index.ts";
import { membersOf } from "../commands/group-commands.ts";
import { titleOf } from "../lines/target.ts";
import { userNamed, wordFor } from "../text/user-name.ts";

/** What the live view helps with, for groups and blocks. */
export const GROUP_HELP = [
  "/group bob cleo as Weekend   a new group     /open +weekend   another one of yours",
  "/members, /add dan, /remove dan, /owner dan, /member dan, /rename Sunday, /leave   this group",
  "/block, /unblock   the user of this conversation, or /block bob",
];

/** Members named by /members. */
const NAMED = 200;

/** What a line did: what to say, and which conversation to show from now on. */
export interface LineOutcome {
  readonly say?: string;
  readonly open?: string;
}

/**
 * Carries out a line of the live view that is about groups or blocks; undefined if it is about neither. `conversation`
 * is the one on the screen. What a change of the group itself did is shown by its entry. Rejects as the calls do.
 */
export async function groupLine(
  client: Client,
  conversation: Conversation | undefined,
  word: string,
  rest: readonly string[],
): Promise<LineOutcome | undefined> {
  const { groups } = client;
  switch (word) {
    case "group":
      return await newGroup(client, rest);
    case "block":
    case "unblock": {
      const user = rest[0] === undefined ? conversation?.peer : userNamed(rest[0]);
      if (user === undefined) return { say: `/${word} takes a name` };
      await client.blocks[word](user);
      return { say: word === "block" ? `${user} is blocked` : `${user} is not blocked any more` };
    }
    case "members":
    case "add":
    case "remove":
    case "owner":
    case "member":
    case "rename":
    case "leave":
      break;
    default:
      return undefined;
  }
  if (conversation?.thread?.kind !== "group") return { say: `/${word} is for groups: /open +name first` };
  const { threadId } = conversation;
  if (word === "members") return { say: await memberList(client, threadId) };
  const [user] = rest;
  if (word === "leave") await groups.leave(threadId);
  else if (user === undefined) return { say: `/${word} takes a name` };
  else if (word === "rename") await groups.rename(threadId, rest.join(" "));
  else if (word === "owner" || word === "member") await groups.setRole(threadId, userNamed(user), word);
  else await groups[word](threadId, rest.map(userNamed));
  return {};
}

/** `/group bob cleo as Weekend`. The conversation is opened by its id, as several groups may have one name. */
async function newGroup(client: Client, words: readonly string[]): Promise<LineOutcome> {
  const at = words.indexOf("as");
  const name = words.slice(at + 1).join(" ");
  if (at < 0 || name === "") return { say: "a new group: /group bob cleo as Weekend" };
  const made = await client.groups.create(name, words.slice(0, at).map(userNamed));
  return { say: `${titleOf(made)} is there`, open: `+${made.threadId}` };
}

/** Members on one line, at most 200: a terminal is no place for 10,000. */
async function memberList(client: Client, threadId: string): Promise<string> {
  const names: string[] = [];
  for await (const { userId, role } of membersOf(client, threadId)) {
    if (names.length === NAMED) return `${names.join(", ")} and others`;
    names.push(role === "owner" ? `${wordFor(userId)} (owner)` : wordFor(userId));
  }
  return names.join(", ");
}
