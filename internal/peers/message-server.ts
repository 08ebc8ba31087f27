import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import { HeddleError } from "../base/heddle-error.ts";
import type { Accepted, Send } from "../base/send.ts";
import { BodySchema } from "../gen/heddle/message/v1/entry_pb.js";
import type { LinkAcceptedSchema, LinkSend } from "../gen/heddle/message/v1/message_internal_service_pb.js";
import type { Messages } from "../push/ports.ts";
import type { Budget } from "../rpc/links/budget.ts";
import { type LinkHandler, serves } from "../rpc/links/link-server.ts";
import { AppendDeadline } from "./append-deadline.ts";
import { MESSAGE } from "./message-methods.ts";

/** Serves the message service to push servers. A send that takes longer than its budget is answered: outcome unknown. */
export function messageHandlers(messages: Messages, clock: Clock): LinkHandler[] {
  const deadline = new AppendDeadline(clock);
  const send = (request: LinkSend, budget: Budget) => {
    const outcome = new Promise<Accepted>((resolve, reject) => {
      messages.send(toSend(request), (settled) =>
        settled instanceof HeddleError ? reject(settled) : resolve(settled),
      );
    });
    return deadline.bound(outcome, budget);
  };
  return [
    serves(MESSAGE.send, async (request, budget) => fromAccepted(await send(request, budget))),
    serves(MESSAGE.raiseReceipt, async ({ userId, threadId, originSession, deliveredSeq, readSeq }) => {
      const positions = { deliveredSeq: Number(deliveredSeq), readSeq: Number(readSeq) };
      await messages.raiseReceipt({ userId, threadId, originSession, ...positions });
      return {};
    }),
    serves(MESSAGE.flushReceipts, async ({ userId }) => {
      await messages.flushReceipts(userId);
      return {};
    }),
    serves(MESSAGE.typing, async ({ userId, threadId, originSession }) => {
      await messages.typing({ userId, threadId, originSession });
      return {};
    }),
    serves(MESSAGE.membership, async ({ threadId, userIds }) => {
      const { seq, ordinal, membersSeq, isLarge, joined } = await messages.membership(threadId, userIds);
      return {
        seq: BigInt(seq),
        ordinal: BigInt(ordinal),
        membersSeq: BigInt(membersSeq),
        isLarge,
        joined: [...joined].map(([userId, from]) => ({ userId, joinedSeq: BigInt(from) })),
      };
    }),
  ];
}

/** The send as the push server had it. An empty thread_id stands for none: then to_user_id names the thread. */
function toSend(said: LinkSend): Send {
  return {
    userId: said.userId,
    threadId: said.threadId.length > 0 ? said.threadId : undefined,
    toUserId: said.toUserId,
    clientId: said.clientId,
    baseSeq: Number(said.baseSeq),
    logEpoch: Number(said.logEpoch),
    attempt: said.attempt,
    body: said.isPlainText ? said.body : fromBinary(BodySchema, said.body),
    originSession: said.originSession,
  };
}

/** `recipientOffline` stays absent where nobody knows: of a group, or where the sender may not see it. */
function fromAccepted(accepted: Accepted): MessageInitShape<typeof LinkAcceptedSchema> {
  const { threadId, clientId, seq, createdAtMs, duplicate, recipientOffline } = accepted;
  return {
    threadId,
    clientId,
    seq: BigInt(seq),
    createdAtMs: BigInt(createdAtMs),
    duplicate,
    ...(recipientOffline === undefined ? {} : { recipientOffline }),
  };
}
