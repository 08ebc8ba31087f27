import { HeddleError } from "../base/heddle-error.ts";
import { type GroupMark, inbox, type Topic } from "../base/publication.ts";
import { eventFrame } from "../wire/event-frames.ts";
import type { View } from "./group/membership.ts";
import type { Hiding } from "./hiding.ts";
import type { ThreadLog } from "./log/thread-log.ts";
import type { Views } from "./log/views.ts";
import type { Channel } from "./ports.ts";

/** How long clients show it unless it is said again, in ms: two of the throttle's 3 s. */
export const TYPING_EXPIRES_MS = 6_000;

export interface TypingPorts {
  readonly channel: Channel;
  readonly views: Views;
  readonly hiding: Hiding;
}

/** Where it goes; a group's mark with it. */
interface Route {
  readonly topics: readonly Topic[];
  readonly group?: GroupMark;
}

/**
 * Tells the other members that the user writes: not in a large group, nor where one of two has blocked the other, by a
 * fresh view, nor where the user is not shown to them (docs/design.md, section 8). Never stored; what cannot be judged
 * or handed over is dropped.
 */
export async function publishTyping(
  ports: TypingPorts,
  log: ThreadLog,
  { userId, originSession }: { readonly userId: string; readonly originSession: string },
): Promise<void> {
  const value = { threadId: log.threadId, userId, expiresAfterMs: TYPING_EXPIRES_MS };
  try {
    await ports.views.fresh(log); // Of a group: whether the user has written there goes by its membership.
    if (!(await ports.hiding.isShown(log.membership, userId))) return;
    const route = routeBy(await ports.views.fresh(log), log, userId);
    if (!route) return;
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

function routeBy({ roster, blockedBy }: View, log: ThreadLog, userId: string): Route | undefined {
  const { participants, audience } = log.membership;
  if (!log.isGroup) {
    if (blockedBy.length > 0) return undefined;
    return { topics: participants.filter((user) => user !== userId).map(inbox) };
  }
  if (!roster.members.has(userId) || roster.isLarge) return undefined;
  const { topics, membersSeq } = audience;
  return { topics, group: { membersSeq } };
}
