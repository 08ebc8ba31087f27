import { create, toBinary } from "@bufbuild/protobuf";
import { HeddleError } from "../base/heddle-error.ts";
import { inbox } from "../base/publication.ts";
import { ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import type { Channel } from "./ports.ts";
import type { ThreadLog } from "./thread-log.ts";

/** How long clients show it unless it is said again, in ms: two of the throttle's 3 s. */
export const TYPING_EXPIRES_MS = 6_000;

/** Threads with more members have no typing (docs/design.md, section 7). */
const MAX_MEMBERS = 256;

/** Tells the other members that the user writes. Never stored; what cannot be handed over is dropped. */
export async function publishTyping(
  channel: Channel,
  log: ThreadLog,
  { userId, originSession }: { readonly userId: string; readonly originSession: string },
): Promise<void> {
  const members = log.view?.members ?? [];
  if (members.length > MAX_MEMBERS) return;
  const value = { threadId: log.threadId, userId, expiresAfterMs: TYPING_EXPIRES_MS };
  const events = [{ kind: { case: "typing" as const, value } }];
  try {
    await channel.publish({
      kind: "typing",
      topics: members.filter((member) => member !== userId).map(inbox),
      frame: toBinary(ServerFrameSchema, create(ServerFrameSchema, { events })),
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
