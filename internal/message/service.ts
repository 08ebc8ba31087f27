import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { HeddleError, invalidField, isLogDamaged } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import type { Accepted, Send, Settle } from "../base/send.ts";
import {
  type CompareHeldRequest,
  type CompareHeldResponseSchema,
  type GetHeadsRequest,
  type GetHeadsResponseSchema,
  type ListEntriesRequest,
  ListEntriesResponseSchema,
  type ListReceiptsRequest,
  type ListReceiptsResponseSchema,
  type ResolveSendRequest,
  type ResolveSendResponseSchema,
  type SendRequest,
  type SendResponseSchema,
} from "../gen/heddle/message/v1/message_service_pb.js";
import { withEncoded } from "../rpc/calls/encoded-message.ts";
import { type Assembly, assemble, type MessagePorts } from "./assemble.ts";
import { decodeCell } from "./cells/entry-cell.ts";
import type { AskedChange, MadeChange } from "./group-changes.ts";
import { readPage, type SeenSpans } from "./history.ts";
import { findWriters } from "./log-writers.ts";
import type { FoundWriters } from "./ports.ts";
import { listReceipts } from "./receipts/receipt-list.ts";
import type { Unread, UnreadQuery } from "./receipts/receipts.ts";
import type { Membership } from "./thread-reader.ts";
import { publishTyping } from "./typing.ts";

/** Who calls, as the rpc layer says. */
interface Call {
  readonly caller: { readonly userId: string };
}

/**
 * The message service: what its RPCs and the ports of push and thread need, over the domain files beside it. All in
 * one process today; each instance may serve any thread, the store's check alone keeps them apart.
 */
export class MessageService {
  readonly #parts: Assembly;

  readonly #stopHearing: () => void;

  constructor(ports: MessagePorts) {
    this.#parts = assemble(ports);
    const { logs, receipts, owners } = this.#parts;
    this.#stopHearing = owners.onMoved(() => {
      const owns = (thread: string) => owners.owns(thread);
      logs.forgetLost(owns);
      void receipts.forgetLost(owns);
    });
  }

  /** Sends that wait to be appended, in bytes. */
  get queuedBytes(): number {
    return this.#parts.appender.queuedBytes;
  }

  /** Appends one send and settles it once. For push servers. */
  readonly send = (send: Send, settle: Settle): void => this.#parts.sender.send(send, settle);

  /** Raises a user's own positions. For push servers. */
  async raiseReceipt(receipt: {
    readonly userId: string;
    readonly threadId: Uint8Array;
    readonly deliveredSeq: number;
    readonly readSeq: number;
    readonly originSession: string;
  }): Promise<void> {
    const { logs, receipts } = this.#parts;
    const { threadId, userId } = receipt;
    await receipts.raise(logs.known(threadId, userId) ?? (await logs.open(threadId, userId)), receipt);
  }

  /** Copies the user's read positions into its thread rows. For push servers, when a session ends. */
  flushReceipts(userId: string): Promise<void> {
    return this.#parts.receipts.flushUser(userId);
  }

  /** Tells the other members that the user writes. For push servers. */
  async typing(typing: {
    readonly userId: string;
    readonly threadId: Uint8Array;
    readonly originSession: string;
  }): Promise<void> {
    const log = await this.#parts.logs.open(typing.threadId, typing.userId);
    await publishTyping(this.#parts.typing, log, typing);
  }

  /** Changes a group. For the thread service. */
  change(asked: AskedChange): Promise<MadeChange> {
    return this.#parts.changes.change(asked);
  }

  /** Raises the epoch of a direct thread's head after a block was stored, or taken back. For the thread service. */
  raiseEpoch(threadId: Uint8Array): Promise<void> {
    return this.#parts.appender.raiseEpoch(this.#parts.logs.bare(threadId));
  }

  /** Who of some users is a member of a group, as of a head read now. For push servers. */
  membership(threadId: Uint8Array, userIds: readonly string[]): Promise<Membership> {
    return this.#parts.reader.membership(threadId, userIds);
  }

  /** Heads read from the store now, by thread id in hex; those of damaged logs are left out. For the thread service. */
  async heads(
    threads: readonly { readonly threadId: Uint8Array; readonly headBucket: number }[],
  ): Promise<ReadonlyMap<string, { readonly seq: number; readonly ordinal: number }>> {
    const read = async ({ threadId, headBucket }: { threadId: Uint8Array; headBucket: number }) => {
      const key = hex(threadId);
      return [key, await this.#parts.heads.readHead(key, threadId, headBucket)] as const;
    };
    return new Map(await eachReadable(threads, read));
  }

  /**
   * When entries up to a head were made, in Unix ms, by thread id in hex; those that a damaged log does not have are left
   * out. For the thread service.
   */
  async entryTimes(
    entries: readonly { readonly threadId: Uint8Array; readonly seq: number }[],
  ): Promise<ReadonlyMap<string, number>> {
    const read = async ({ threadId, seq }: { threadId: Uint8Array; seq: number }) => {
      const { createdAtMs } = decodeCell(await this.#parts.reading.cell(threadId, seq));
      return [hex(threadId), Number(createdAtMs)] as const;
    };
    const above = entries.filter(({ seq }) => seq > 0);
    return new Map(await eachReadable(above, read));
  }

  /**
   * How far a user has read threads, and what is unread of each; no log is read. Those whose receipts cannot be read any
   * more are left out. For the thread service.
   */
  unread(userId: string, threads: readonly UnreadQuery[]): Promise<ReadonlyMap<string, Unread>> {
    return this.#parts.receipts.unread(userId, threads);
  }

  /** Who has written in a thread, by its log. For the thread service. */
  writers(threadId: Uint8Array): Promise<FoundWriters> {
    return findWriters(this.#parts.reading, threadId);
  }

  /** Writes what waits. After it nothing is sent here any more. */
  async close(): Promise<void> {
    this.#stopHearing();
    await this.#parts.receipts.close();
  }

  /** The RPCs of MessageService. Requests have passed the rules of the schema. */
  readonly handlers = {
    send: (request: SendRequest, call: Call) => this.#send(request, call),
    listEntries: (request: ListEntriesRequest, call: Call) => this.#listEntries(request, call),
    resolveSend: (request: ResolveSendRequest, call: Call) => this.#resolveSend(request, call),
    getHeads: (request: GetHeadsRequest, call: Call) => this.#getHeads(request, call),
    compareHeld: (request: CompareHeldRequest, call: Call) => this.#compareHeld(request, call),
    listReceipts: (request: ListReceiptsRequest, call: Call) => this.#listReceipts(request, call),
  };

  async #send(request: SendRequest, call: Call): Promise<MessageInitShape<typeof SendResponseSchema>> {
    if (!request.body) throw invalidField("body", "required");
    const send: Send = {
      userId: call.caller.userId,
      ...targetOf(request.target),
      clientId: request.clientId,
      baseSeq: Number(request.baseSeq),
      logEpoch: Number(request.logEpoch),
      attempt: request.attempt,
      body: request.body,
      originSession: "",
    };
    const accepted = await new Promise<Accepted>((resolve, reject) => {
      this.send(send, (outcome) => (outcome instanceof HeddleError ? reject(outcome) : resolve(outcome)));
    });
    const { recipientOffline, seq, createdAtMs, ...rest } = accepted;
    const response = { ...rest, seq: BigInt(seq), createdAtMs: BigInt(createdAtMs) };
    return recipientOffline === undefined ? response : { ...response, recipientOffline };
  }

  async #listEntries(
    request: ListEntriesRequest,
    call: Call,
  ): Promise<MessageInitShape<typeof ListEntriesResponseSchema>> {
    const { userId } = call.caller;
    const { logs, reader, reading } = this.#parts;
    const log = await logs.open(request.threadId, userId);
    const { firstSeq, last } = await reader.range(log, userId);
    const seen: SeenSpans = {
      last: { firstSeq, lastSeq: last.seq },
      earlier: () => reader.earlierSpans(log, userId, firstSeq),
    };
    const page = await readPage(reading, request.threadId, seen, request.position, request.pageSize);
    const response = create(ListEntriesResponseSchema, { head: headOf(last), hasMore: page.hasMore });
    return withEncoded(response, page.entries);
  }

  async #resolveSend(
    request: ResolveSendRequest,
    call: Call,
  ): Promise<MessageInitShape<typeof ResolveSendResponseSchema>> {
    const resolution = await this.#parts.resolver.resolve({
      userId: call.caller.userId,
      ...targetOf(request.target),
      clientId: request.clientId,
      baseSeq: Number(request.baseSeq),
      seal: request.seal,
    });
    if (resolution === "unknown") return { outcome: { case: "unknown", value: {} } };
    if (resolution === "never") return { outcome: { case: "never", value: {} } };
    const seq = BigInt(resolution.seq);
    if (resolution.isVoid) return { outcome: { case: "never", value: { seq } } };
    return { outcome: { case: "committed", value: { seq, createdAtMs: BigInt(resolution.createdAtMs) } } };
  }

  async #getHeads(
    request: GetHeadsRequest,
    call: Call,
  ): Promise<MessageInitShape<typeof GetHeadsResponseSchema>> {
    const { userId } = call.caller;
    const heads = await eachReadable(request.threadIds, (threadId) => this.#headFor(threadId, userId));
    return { heads: heads.filter((head) => head !== undefined) };
  }

  /** The head of a thread as far as the user may see; undefined if it is not the user's. */
  async #headFor(threadId: Uint8Array, userId: string) {
    const log = await this.#parts.logs.findLog(threadId, userId);
    if (!log) return undefined;
    const { firstSeq, last } = await this.#parts.reader.range(log, userId);
    const row = log.isGroup ? await this.#joined(threadId, firstSeq) : { readSeq: 0, readOrdinal: 0 };
    const query = { threadId, head: last, row, log };
    const read = (await this.#parts.receipts.unread(userId, [query])).get(log.key);
    const { readSeq = 0, readOrdinal = 0, unread = 0 } = read ?? {};
    return {
      threadId,
      head: headOf(last),
      readSeq: BigInt(readSeq),
      readOrdinal: BigInt(readOrdinal),
      unread,
    };
  }

  /** Who has joined a group has read it up to there. */
  async #joined(threadId: Uint8Array, joinedSeq: number) {
    const { ordinal } = decodeCell(await this.#parts.reading.cell(threadId, joinedSeq));
    return { readSeq: joinedSeq, readOrdinal: Number(ordinal) };
  }

  async #compareHeld(
    { held }: CompareHeldRequest,
    call: Call,
  ): Promise<MessageInitShape<typeof CompareHeldResponseSchema>> {
    const { comparison } = this.#parts;
    const compared = held.map(async ({ threadId, seq, entryHash }) => {
      const asked = { threadId, seq: Number(seq), entryHash };
      const { isSame, head, isDamaged } = await comparison.compare(call.caller.userId, asked);
      return { threadId, isSame, ...(isDamaged && { isDamaged }), ...(head && { head: headOf(head) }) };
    });
    return { compared: await Promise.all(compared), logEpoch: BigInt(comparison.logEpoch) };
  }

  async #listReceipts(
    request: ListReceiptsRequest,
    call: Call,
  ): Promise<MessageInitShape<typeof ListReceiptsResponseSchema>> {
    const log = await this.#parts.logs.open(request.threadId, call.caller.userId);
    const range = await this.#parts.reader.range(log, call.caller.userId);
    const users = await listReceipts(this.#parts.listing, log, call.caller.userId, range);
    const receipts = [...users].map(([userId, { deliveredSeq, readSeq, readOrdinal }]) => ({
      threadId: request.threadId,
      userId,
      deliveredSeq: BigInt(deliveredSeq),
      readSeq: BigInt(readSeq),
      readOrdinal: BigInt(readOrdinal),
    }));
    return { receipts };
  }
}

function headOf(head: { readonly seq: number; readonly ordinal: number }) {
  return { seq: BigInt(head.seq), ordinal: BigInt(head.ordinal) };
}

function targetOf(target: SendRequest["target"]): Pick<Send, "threadId" | "toUserId"> {
  if (target.case === "threadId") return { threadId: target.value, toUserId: "" };
  if (target.case === "toUserId") return { threadId: undefined, toUserId: target.value };
  throw invalidField("target", "required");
}

/** What was read of each, without those whose logs are damaged: one such log hides no other thread. */
async function eachReadable<T, R>(all: readonly T[], read: (one: T) => Promise<R>): Promise<R[]> {
  const found = all.map(async (one) => {
    try {
      return [await read(one)];
    } catch (error) {
      if (isLogDamaged(error)) return [];
      throw error;
    }
  });
  return (await Promise.all(found)).flat();
}
