import type { Writable } from "node:stream";
import {
  asHeddleError,
  type Client,
  type Conversation,
  isAbsence,
  lostBefore,
} from "../../../client/index.ts";
import { waitSignal, waitUntilLive } from "../device/open-client.ts";
import type { Settings } from "../device/settings.ts";
import { type ChatError, callProblem, EXIT } from "../exit-code.ts";
import { entryJson, type JsonLine, lostJson, threadJson } from "../lines/json-lines.ts";
import {
  ABSENCE,
  DAMAGED,
  dayLine,
  entryLine,
  layoutOf,
  lostLine,
  notice,
  threadLine,
} from "../lines/looks.ts";
import { conversationOf, titleOf } from "../lines/target.ts";
import { learnNames, namesOf, usersIn } from "../text/display-name.ts";

/** The largest page of ListEntries. */
const PAGE = 200;

/**
 * Prints the last `limit` (1–5,000) entries with a user or of a group, oldest first. While the server is away it prints
 * what is held, says so, and resolves to 3; it rejects with ChatError if nothing is held.
 */
export async function printHistory(
  client: Client,
  settings: Settings,
  target: string,
  limit: number,
  output: Writable,
): Promise<number> {
  const away = await waitUntilLive(client, settings).catch((problem: ChatError) => problem);
  const conversation = await conversationOf(client, settings, target);
  if (!away) await load(conversation, limit);
  else if (conversation.entries.length === 0) throw away;
  else process.stderr.write(`chat: ${away.message}; this is what was here last\n`);
  await printEntries(client, settings, conversation, { target, limit, isAway: away !== undefined }, output);
  return away?.exitCode ?? EXIT.well;
}

/**
 * Entries as lines, or as one object a line. Names are waited for up to 1 s, and only where there is a server to ask.
 */
async function printEntries(
  client: Client,
  settings: Settings,
  conversation: Conversation,
  { target, limit, isAway }: { readonly target: string; readonly limit: number; readonly isAway: boolean },
  output: Writable,
): Promise<void> {
  const entries = conversation.entries.slice(-limit);
  const { lost } = conversation;
  const above = lost.filter(([fromSeq]) => fromSeq > (entries.at(-1)?.seq ?? 0));
  if (settings.json) {
    const write = (line: JsonLine) => output.write(`${JSON.stringify(line)}\n`);
    for (const entry of entries) {
      const hole = lostBefore(lost, entry);
      if (hole) write(lostJson(conversation.threadId, hole));
      write(entryJson(entry));
    }
    for (const hole of above) write(lostJson(conversation.threadId, hole));
    return;
  }
  if (entries.length === 0 && above.length === 0)
    output.write(`${notice(`no messages with ${target} yet`)}\n`);
  const columns = (output as { columns?: number }).columns ?? Number.POSITIVE_INFINITY;
  const nameOf = namesOf(client);
  if (!isAway) await learnNames(client, usersIn(entries));
  const layout = { ...layoutOf(client.userId, entries, nameOf), columns, nameOf };
  let day = "";
  for (const [at, entry] of entries.entries()) {
    const before = entries[at - 1];
    if (before && isAbsence(before, entry, client.userId)) output.write(`${ABSENCE}\n`);
    const hole = lostBefore(lost, entry);
    if (hole) output.write(`${lostLine(hole)}\n`);
    const line = entryLine(entry, conversation.stateOf(entry), layout, client.userId);
    if (line === undefined) continue;
    const itsDay = new Date(entry.createdAtMs).toDateString();
    if (itsDay !== day) output.write(`${dayLine(entry.createdAtMs)}\n`);
    day = itsDay;
    output.write(`${line}\n`);
  }
  for (const hole of above) output.write(`${lostLine(hole)}\n`);
  if (conversation.thread?.isDamaged) output.write(`${DAMAGED}\n`);
}

/** Fetches downwards until `limit` are held. Gaps are filled by the client, so what is held has none. */
async function load(conversation: Conversation, limit: number): Promise<void> {
  try {
    await conversation.open();
    while (conversation.entries.length < limit && conversation.hasOlder) {
      const added = await conversation.older(Math.min(PAGE, limit - conversation.entries.length));
      // Nothing new, though there may be more: the client holds no more of one thread than 5,000.
      if (added.length === 0) return;
    }
  } catch (thrown) {
    throw callProblem(asHeddleError(thrown));
  }
}

/**
 * Prints the list of threads, the most recent first, and resolves to 0. Rejects with ChatError if the server is away: a
 * list that may be old would not say so.
 */
export async function printThreads(client: Client, settings: Settings, output: Writable): Promise<number> {
  await waitUntilLive(client, settings);
  // What does not come in time is shown as it is known.
  await client.settled(waitSignal(settings)).catch(() => {});
  const threads = client.threads();
  if (settings.json) {
    for (const thread of threads) {
      output.write(`${JSON.stringify({ ...threadJson(thread), updated_at_ms: thread.updatedAtMs })}\n`);
    }
    return EXIT.well;
  }
  if (threads.length === 0) output.write(`${notice("no conversations yet")}\n`);
  const nameOf = namesOf(client);
  const peers = threads.flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
  await learnNames(client, [...peers, ...usersIn(threads.flatMap(({ last }) => last ?? []))]);
  const width = Math.max(3, ...threads.map((thread) => titleOf(thread, nameOf).length));
  threads.forEach((thread, at) => {
    output.write(`${threadLine(thread, at + 1, client.userId, width, false, nameOf)}\n`);
  });
  return EXIT.well;
}
