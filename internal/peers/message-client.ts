import { toBinary } from "@bufbuild/protobuf";
import { HeddleError } from "../base/heddle-error.ts";
import type { Accepted, Send, Settle } from "../base/send.ts";
import { BodySchema } from "../gen/heddle/message/v1/entry_pb.js";
import type { LinkAccepted } from "../gen/heddle/message/v1/message_internal_service_pb.js";
import type { Membership, Messages } from "../push/ports.ts";
import { CALL_MS, SEND_MS } from "../rpc/links/budget.ts";
import type { LinkCaller } from "../rpc/links/link-client.ts";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";
import { MESSAGE } from "./message-methods.ts";

/** One message server in another program, as a push server needs it. Repeats nothing: RoutedMessages and clients do. */
export class MessageClient implements Messages {
  readonly #link: LinkCaller;

  constructor(link: LinkCaller) {
    this.#link = link;
  }

  /**
   * Settles exactly once, since the link answers each call once. `budgetMs`: what the sender's 10 s leave to this
   * server. A failure is PEER_UNAVAILABLE, outcome unknown.
   */
  send(send: Send, settle: Settle, budgetMs = SEND_MS): void {
    // A body that is plain text goes as the bytes that came from the client: neither end decodes it.
    const isPlainText = send.body instanceof Uint8Array;
    const body = send.body instanceof Uint8Array ? send.body : toBinary(BodySchema, send.body);
    const { threadId = new Uint8Array(0), baseSeq, logEpoch, ...same } = send;
    const request = {
      ...same,
      threadId,
      baseSeq: BigInt(baseSeq),
      logEpoch: BigInt(logEpoch),
      body,
      isPlainText,
    };
    this.#link.call(MESSAGE.send, request, budgetMs).then(
      (accepted) => settle(toAccepted(accepted)),
      (error) => settle(error instanceof HeddleError ? error : peerUnavailable("message", error)),
    );
  }

  /** Positions only rise, so a call that is repeated changes nothing. */
  async raiseReceipt(receipt: Parameters<Messages["raiseReceipt"]>[0]): Promise<void> {
    const { deliveredSeq, readSeq, ...same } = receipt;
    const request = { ...same, deliveredSeq: BigInt(deliveredSeq), readSeq: BigInt(readSeq) };
    await this.#link.call(MESSAGE.raiseReceipt, request, CALL_MS);
  }

  async flushReceipts(userId: string): Promise<void> {
    await this.#link.call(MESSAGE.flushReceipts, { userId }, CALL_MS);
  }

  /** Rejects like the others; its caller lets it be: typing is never repeated. */
  async typing(typing: Parameters<Messages["typing"]>[0]): Promise<void> {
    await this.#link.call(MESSAGE.typing, { ...typing }, CALL_MS);
  }

  /** Joined seqs cross as a list: only members are in it. */
  async membership(threadId: Uint8Array, userIds: readonly string[]): Promise<Membership> {
    const said = await this.#link.call(MESSAGE.membership, { threadId, userIds: [...userIds] }, CALL_MS);
    return {
      seq: Number(said.seq),
      ordinal: Number(said.ordinal),
      membersSeq: Number(said.membersSeq),
      isLarge: said.isLarge,
      joined: new Map(said.joined.map(({ userId, joinedSeq }) => [userId, Number(joinedSeq)])),
    };
  }
}

/** Bounds of seqs and times let them be numbers on this side. */
function toAccepted(said: LinkAccepted): Accepted {
  return {
    threadId: said.threadId,
    clientId: said.clientId,
    seq: Number(said.seq),
    createdAtMs: Number(said.createdAtMs),
    duplicate: said.duplicate,
    recipientOffline: said.recipientOffline,
  };
}
