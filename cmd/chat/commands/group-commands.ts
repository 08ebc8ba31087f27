import type { Writable } from "node:stream";
import type { Command } from "commander";
import { asHeddleError, type Client, type Member, type Thread } from "../../../client/index.ts";
import { type OpenClient, waitUntilLive } from "../device/open-client.ts";
import type { Settings } from "../device/settings.ts";
import { ChatError, callProblem, EXIT } from "../exit-code.ts";
import { threadJson } from "../lines/json-lines.ts";
import { notice } from "../lines/looks.ts";
import { groupOf, titleOf } from "../lines/target.ts";
import { userNamed, wordFor } from "../text/user-name.ts";

/** Runs a command with a client, as command-line.ts does. */
type Run = (use: (open: OpenClient, settings: Settings) => Promise<number>) => Promise<void>;

/**
 * Adds the commands about groups and blocks. Each waits until the client is live: none is kept for later, unlike a
 * message, because what it would do depends on who is in the group then.
 */
export function addGroupCommands(program: Command, run: Run, output: Writable): void {
  /** Runs `use` when the client is live, and prints what it resolves to. */
  const call = (
    use: (client: Client, settings: Settings) => Promise<Thread>,
    text: (thread: Thread) => string,
  ) =>
    run(async ({ client }, settings) => {
      await waitUntilLive(client, settings);
      const thread = await use(client, settings).catch(refused);
      output.write(`${settings.json ? JSON.stringify(threadJson(thread)) : text(thread)}\n`);
      return EXIT.well;
    });
  addGroup(program, call, run, output);
  addBlocks(program, call, run, output);
}

/** Runs one change and prints the thread as it is after it. */
type Call = (
  use: (client: Client, settings: Settings) => Promise<Thread>,
  text: (thread: Thread) => string,
) => Promise<void>;

/** `group …`. Who may do what the server decides; a refusal is printed in its words. */
function addGroup(program: Command, call: Call, run: Run, output: Writable): void {
  const group = program
    .command("group")
    .description("make a group, or change one; <group> is its name, with + or without");
  group
    .command("new <name> [users...]")
    .description("make a group with these users; you own it")
    .action(async (name: string, users: string[]) => {
      const userIds = users.map(userNamed);
      await call(
        (client) => client.groups.create(name, userIds),
        (made) => `${titleOf(made)} is there, with ${count(made)}; its id is ${made.threadId}`,
      );
    });
  /** A command that changes a group in one way. */
  const change = (
    words: string,
    description: string,
    make: (client: Client, threadId: string, rest: readonly string[]) => Promise<Thread>,
    text: (thread: Thread) => string,
  ) =>
    group
      .command(words)
      .description(description)
      .action((name: string, ...rest: unknown[]) =>
        call(
          async (client, settings) =>
            make(client, (await groupOf(client, settings, name)).threadId, wordsOf(rest)),
          text,
        ),
      );
  const now = (thread: Thread) => `${titleOf(thread)} has ${count(thread)}`;
  change(
    "add <group> <users...>",
    "add users; any member may",
    (c, id, users) => c.groups.add(id, users.map(userNamed)),
    now,
  );
  change(
    "remove <group> <users...>",
    "remove members; an owner may",
    (c, id, users) => c.groups.remove(id, users.map(userNamed)),
    now,
  );
  change(
    "leave <group>",
    "leave it; you keep what was said until then",
    (c, id) => c.groups.leave(id),
    (left) => `you have left ${titleOf(left)}`,
  );
  change(
    "rename <group> <name>",
    "give it another name; any member may",
    (client, id, [name = ""]) => client.groups.rename(id, name),
    (renamed) => `it is ${titleOf(renamed)} now`,
  );
  change(
    "role <group> <user> <role>",
    "give a member a role, owner or member; an owner may",
    (client, id, [user = "", role]) => {
      if (role === "owner" || role === "member") return client.groups.setRole(id, userNamed(user), role);
      throw new ChatError(EXIT.wrongUse, "a role is owner or member");
    },
    now,
  );
  group
    .command("members <group>")
    .description("print its members, and who of them owns it")
    .action((name: string) =>
      run(async ({ client }, settings) => {
        await waitUntilLive(client, settings);
        const { threadId } = await groupOf(client, settings, name);
        for await (const member of membersOf(client, threadId))
          output.write(`${memberLine(member, settings)}\n`);
        return EXIT.well;
      }),
    );
}

/** Blocks stand at the top, not below `group`: they are about one user. */
function addBlocks(program: Command, call: Call, run: Run, output: Writable): void {
  program
    .command("block <user>")
    .description("block a user: neither of you can write to the other, or see whether the other is there")
    .action((user: string) =>
      call(
        (client) => client.blocks.block(userNamed(user)),
        () => `${user} is blocked`,
      ),
    );
  program
    .command("unblock <user>")
    .description("let a user that you have blocked write again")
    .action((user: string) =>
      call(
        (client) => client.blocks.unblock(userNamed(user)),
        () => `${user} is not blocked any more`,
      ),
    );
  program
    .command("blocked")
    .description("print the users that you have blocked")
    .action(() =>
      run(async ({ client }, settings) => {
        await waitUntilLive(client, settings);
        let isNone = true;
        for await (const user of blockedUsers(client)) {
          output.write(`${settings.json ? JSON.stringify({ type: "blocked", user }) : wordFor(user)}\n`);
          isNone = false;
        }
        if (isNone && !settings.json) output.write(`${notice("nobody is blocked")}\n`);
        return EXIT.well;
      }),
    );
}

/**
 * All members of a group, page by page, by user id; up to 10,000. Rejects with ChatError. One who joins meanwhile may
 * be missed.
 */
export async function* membersOf(client: Client, threadId: string): AsyncGenerator<Member> {
  let pageToken: string | undefined;
  do {
    const page = await client.groups.members(threadId, pageToken).catch(refused);
    yield* page.members;
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
}

async function* blockedUsers(client: Client): AsyncGenerator<string> {
  let pageToken: string | undefined;
  do {
    const page = await client.blocks.list(pageToken).catch(refused);
    yield* page.userIds;
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
}

function memberLine({ userId, role }: Member, settings: Settings): string {
  if (settings.json) return JSON.stringify({ type: "member", user: userId, role });
  // The id, and not the name that people see: it is what `group remove` takes.
  return role === "owner" ? `${wordFor(userId)} (owner)` : wordFor(userId);
}

/** What commander hands over behind the first argument: words and lists of words, then options and the command. */
function wordsOf(rest: readonly unknown[]): readonly string[] {
  return rest.flat().filter((each) => typeof each === "string");
}

function count({ memberCount }: Thread): string {
  return memberCount === 1 ? "one member" : `${memberCount} members`;
}

function refused(thrown: unknown): never {
  if (thrown instanceof ChatError) throw thrown;
  throw callProblem(asHeddleError(thrown));
}
