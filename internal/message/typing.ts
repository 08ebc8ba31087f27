import { HeddleError } from "../base/heddle-error.ts";
import { type GroupMark, inbox, type Topic } from "../base/publication.ts";
import { eventFrame } from "../wire/event-frames.ts";
import type { Judging } from "./group/judging.ts";
import type { Hiding } from "./hiding.ts";
import type { ThreadLog } from "./log/thread-log.ts";
import type { Channel } from "./ports.ts";
import type { ThreadReader } from "./thread-reader.ts";

/** How long clients show it unless it is said again, in ms: two of the throttle's 3 s. */
export const TYPING_EXPIRES_MS = 6_000;

export interface TypingPorts {
  readonly channel: Channel;
  readonly judging: Judging;
  readonly reader: ThreadReader;
  readonly hiding: Hiding;
}

/** Where it goes; a group's mark with it. */
interface Route {
  readonly topics: readonly Topic[];
  readonly group?: GroupMark;
}

/**
 * Tells the other members that the user writes: not in a large group, nor where one of two has blocked the other, by the
 * view at hand, nor where the user is not shown to them (docs/design.md, section 8). Never stored; what cannot be handed over is dropped.
 */
export async function publishTyping(
  ports: TypingPorts,
  log: ThreadLog,
  { userId, originSession }: { readonly userId: string; readonly originSession: string },
): Promise<void> {
  const value = { threadId: log.threadId, userId, expiresAfterMs: TYPING_EXPIRES_MS };
  try {
    const route = log.isGroup ? await groupRoute(ports, log, userId) : await directRoute(ports, log, userId);
    if (!route || !(await ports.hiding.isShown(log.membership, userId))) return;
    await ports.channel.publish({
      kind: "typing",
      ...route,
      frame: eventFrame({ case: "typing", value }),
      thread: log.key,
      seq: 0,
      ordinal: 0,
      userId,
      originSession,
    });
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
  }
}

async function directRoute(
  { judging }: TypingPorts,
  log: ThreadLog,
  userId: string,
): Promise<Route | undefined> {
  if (await judging.isBlocked(log.membership)) return undefined;
  return { topics: log.membership.participants.filter((user) => user !== userId).map(inbox) };
}

async function groupRoute(
  { reader }: TypingPorts,
  log: ThreadLog,
  userId: string,
): Promise<Route | undefined> {
  const view = log.membership.view ?? (await reader.head(log)).view;
  if (!view?.roster.members.has(userId) || view.roster.isLarge) return undefined;
  const { topics, membersSeq } = log.membership.audience;
  return { topics, group: { membersSeq } };
}
