import type { Clock } from "../base/clock.ts";
import { fromHex } from "../base/ids.ts";
import type { LinkUnreadThread } from "../gen/heddle/message/v1/message_internal_service_pb.js";
import { type LinkHandler, serves } from "../rpc/links/link-server.ts";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";
import type { EntryTimes, GroupLog, Heads, Writers } from "../thread/ports.ts";
import { AppendDeadline } from "./append-deadline.ts";
import { toChange } from "./group-change.ts";
import { MESSAGE } from "./message-methods.ts";

/** The message service, as thread servers need it. */
export interface Logs extends Required<Heads>, EntryTimes, GroupLog, Writers {}

/** Serves the message service to thread servers, beside `messageHandlers`. What changes a log has an AppendDeadline. */
export function logHandlers(logs: Logs, clock: Clock): LinkHandler[] {
  return [...readHandlers(logs), ...changeHandlers(logs, new AppendDeadline(clock))];
}

/** What only reads. The store has a deadline of its own, so no other stands here. */
function readHandlers(logs: Logs): LinkHandler[] {
  return [
    serves(MESSAGE.heads, async ({ threads }) => {
      const heads = await logs.heads(threads);
      return {
        heads: [...heads].map(([thread, { seq, ordinal }]) => ({
          threadId: fromHex(thread),
          seq: BigInt(seq),
          ordinal: BigInt(ordinal),
        })),
      };
    }),
    serves(MESSAGE.unread, async ({ ownerId, threads }) => {
      const unread = await logs.unread(ownerId, threads.map(toUnreadQuery));
      return {
        threads: [...unread].map(([thread, { readSeq, readOrdinal, unread: count }]) => ({
          threadId: fromHex(thread),
          readSeq: BigInt(readSeq),
          readOrdinal: BigInt(readOrdinal),
          unread: count,
        })),
      };
    }),
    serves(MESSAGE.entryTimes, async ({ entries }) => {
      const times = await logs.entryTimes(
        entries.map(({ threadId, seq }) => ({ threadId, seq: Number(seq) })),
      );
      return {
        times: [...times].map(([thread, createdAtMs]) => ({
          threadId: fromHex(thread),
          createdAtMs: BigInt(createdAtMs),
        })),
      };
    }),
    serves(MESSAGE.writers, async ({ threadId }) => {
      const { writers, changes } = await logs.writers(threadId);
      return {
        writers: [...writers].map(([userId, seq]) => ({ userId, seq: BigInt(seq) })),
        changes: [...changes].map(([seq, userId]) => ({ userId, seq: BigInt(seq) })),
      };
    }),
  ];
}

/** Throws PEER_UNAVAILABLE where the head is left out: it must not be read as an empty thread. */
function toUnreadQuery({ head, readSeq, readOrdinal }: LinkUnreadThread) {
  if (!head) throw peerUnavailable("message", new RangeError("a thread without its head"));
  return {
    threadId: head.threadId,
    head: { seq: Number(head.seq), ordinal: Number(head.ordinal) },
    row: { readSeq: Number(readSeq), readOrdinal: Number(readOrdinal) },
  };
}

/** What writes. An append that hangs is answered before the thread server gives up: outcome unknown. */
function changeHandlers(logs: Logs, deadline: AppendDeadline): LinkHandler[] {
  return [
    serves(MESSAGE.change, async (asked, budget) => {
      const { threadId, userId, requestId } = asked;
      const changing = logs.change({ threadId, userId, requestId, change: toChange(asked) });
      const { seq, removed } = await deadline.bound(changing, budget);
      return { seq: BigInt(seq), removed: [...removed] };
    }),
    serves(MESSAGE.raiseEpoch, async ({ threadId }, budget) => {
      await deadline.bound(logs.raiseEpoch(threadId), budget);
      return {};
    }),
  ];
}
