import type { Client, Entry } from "../../../client/index.ts";
import { oneLine } from "./safe-text.ts";
import { wordFor } from "./user-name.ts";

/** What people call a user; undefined where only the id is known. */
export type NameOf = (userId: string) => string | undefined;

/** How long names are waited for before ids are shown instead, in ms. */
const WAIT_MS = 1_000;
/** Users of one change whose names are asked for: a sentence names fewer. */
const SHOWN = 30;
const NAME_CHARACTERS = 40;

/** The names that a client knows, on one line each and without what a terminal would obey. */
export function namesOf(client: Client): NameOf {
  return (userId) => {
    const name = client.profile(userId)?.displayName;
    return name === undefined ? undefined : oneLine(name, NAME_CHARACTERS);
  };
}

/** Asks for the names of users that are about to be shown. Resolves when they are known, or do not come in time. */
export async function learnNames(client: Client, userIds: Iterable<string>): Promise<void> {
  await client.profiles(userIds, AbortSignal.timeout(WAIT_MS)).catch(() => {});
}

/** A user in a list: the name, and the id behind it, which one types. */
export function nameAndId(userId: string, nameOf: NameOf | undefined): string {
  const name = nameOf?.(userId);
  return name === undefined ? wordFor(userId) : `${name} <${wordFor(userId)}>`;
}

/** The users that entries show: who wrote, who came and who went. */
export function usersIn(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ sender, body }) =>
    body.kind === "member_change"
      ? [sender, ...[...body.added, ...body.changed].map(({ userId }) => userId), ...body.removed].slice(
          0,
          SHOWN,
        )
      : [sender],
  );
}
