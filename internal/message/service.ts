import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import { BUCKET_SIZE } from "../base/head.ts";
import { HeddleError, invalidField } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import type { Accepted, Send, Settle } from "../base/send.ts";
import {
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
import { withEncoded } from "../rpc/encoded-message.ts";
import { boundedMessageStore } from "../store/bounded-message-store.ts";
import type { MessageStore } from "../store/message-store.ts";
import { Deadlines } from "../stream/deadlines.ts";
import { type AskedChange, GroupChanges, type MadeChange } from "./group/group-changes.ts";
import { RosterLoader } from "./group/roster-loader.ts";
import { Hiding } from "./hiding.ts";
import { readPage } from "./history.ts";
import { Appender } from "./log/appender.ts";
import { StoreSearch } from "./log/duplicate-search.ts";
import { Gate } from "./log/gate.ts";
import { HeadReader } from "./log/head-finder.ts";
import { Judging } from "./log/judging.ts";
import { type Committer, Sender } from "./log/sender.ts";
import { ThreadLogs } from "./log/thread-logs.ts";
import { TouchLedger } from "./log/touch-ledger.ts";
import type { Blocks, Channel, Groups, LargeGroups, Threads, Visibilities } from "./ports.ts";
import { Receipts } from "./receipts/receipts.ts";
import { Resolver } from "./resolve.ts";
import { type Membership, ThreadReader } from "./thread-reader.ts";
import { publishTyping } from "./typing.ts";

export interface MessagePorts {
  readonly store: MessageStore;
  readonly threads: Threads;
  readonly groups: Groups;
  readonly blocks: Blocks;
  readonly largeGroups: LargeGroups;
  readonly channel: Channel;
  readonly clock: Clock;
  /** Without it nobody hides. */
  readonly visibilities?: Visibilities;
  /** Entries in a row; 512 but in tests. */
  readonly bucketSize?: number;
}

/** Who calls, as the rpc layer says. */
interface Call {
  readonly caller: { readonly userId: string };
}

/** How long a read may take, in ms: half of what a call has. */
const READ_MS = 5_000;
/** How long a send may wait to be appended, in ms. */
const EXPIRES_MS = 10_000;

/**
 * The message service: what its RPCs and the ports of push and thread need, over the domain files beside it. All in
 * one process today; each instance may serve any thread, the store's check alone keeps them apart.
 */
export class MessageService {
  readonly #store: MessageStore;
  readonly #bucketSize: number;
  readonly #logs: ThreadLogs;
  readonly #heads: HeadReader;
  readonly #resolver: Resolver;
  readonly #sender: Sender;
  readonly #receipts: Receipts;
  readonly #changes: GroupChanges;
  readonly #reader: ThreadReader;
  readonly #judging: Judging;
  readonly #channel: Channel;
  readonly appender: Appender;

  constructor(ports: MessagePorts) {
    const { store, threads, groups, channel, clock, bucketSize = BUCKET_SIZE } = ports;
    const deadlines = new Deadlines(clock);
    const gate = new Gate({ threads, groups, channel, clock, deadlines, ledger: new TouchLedger(clock) });
    const reading = boundedMessageStore(store, deadlines, READ_MS);
    const hiding = new Hiding(ports.visibilities);
    const rosters = new RosterLoader({ groups, store, deadlines, bucketSize });
    const { blocks, largeGroups } = ports;
    const judging = new Judging({ rosters, groups, blocks, largeGroups, deadlines });
    const logs = new ThreadLogs(threads);
    const heads = new HeadReader(reading, bucketSize);
    const reader = new ThreadReader({ logs, heads, judging, threads });
    const common = { clock, channel, hiding, judging, reader, heads, threads, bucketSize };
    this.#channel = channel;
    this.#store = reading;
    this.#bucketSize = bucketSize;
    this.#logs = logs;
    this.#heads = heads;
    this.#judging = judging;
    this.#reader = reader;
    this.#receipts = new Receipts({ ...common, store: reading });
    const search = new StoreSearch(store, bucketSize);
    this.appender = new Appender({ store, search, gate, judging, clock, deadlines, bucketSize });
    const { appender } = this;
    const committer: Committer = { logs, appender, receipts: this.#receipts, hiding };
    this.#sender = new Sender(committer, clock, EXPIRES_MS);
    this.#changes = new GroupChanges({ logs, appender, clock, expiresMs: EXPIRES_MS });
    const pages = new StoreSearch(reading, bucketSize);
    this.#resolver = new Resolver({ logs, reader, search: pages, appender, clock, expiresMs: EXPIRES_MS });
  }

  /** Appends one send and settles it once. For push servers. */
  readonly send = (send: Send, settle: Settle): void => this.#sender.send(send, settle);

  /** Raises a user's own positions. For push servers. */
  async raiseReceipt(receipt: {
    readonly userId: string;
    readonly threadId: Uint8Array;
    readonly deliveredSeq: number;
    readonly readSeq: number;
    readonly originSession: string;
  }): Promise<void> {
    const log = await this.#logs.open(receipt.threadId, receipt.userId);
    await this.#receipts.raise(log, receipt);
  }

  /** Copies the user's read positions into its thread rows. For push servers, when a session ends. */
  flushReceipts(userId: string): Promise<void> {
    return this.#receipts.flushUser(userId);
  }

  /** Tells the other members that the user writes. For push servers. */
  async typing(typing: {
    readonly userId: string;
    readonly threadId: Uint8Array;
    readonly originSession: string;
  }): Promise<void> {
    const log = await this.#logs.open(typing.threadId, typing.userId);
    const ports = { channel: this.#channel, judging: this.#judging, reader: this.#reader };
    await publishTyping(ports, log, typing);
  }

  /** Changes a group. For the thread service. */
  change(asked: AskedChange): Promise<MadeChange> {
    return this.#changes.change(asked);
  }

  /** Raises the epoch of a direct thread's head after a block was stored, or taken back. For the thread service. */
  raiseEpoch(threadId: Uint8Array): Promise<void> {
    return this.appender.raiseEpoch(this.#logs.bare(threadId));
  }

  /** Who of some users is a member of a group, as of a head read now. For push servers. */
  membership(threadId: Uint8Array, userIds: readonly string[]): Promise<Membership> {
    return this.#reader.membership(threadId, userIds);
  }

  /** Heads read from the store now, by thread id in hex. For the thread service. */
  async heads(
    threads: readonly { readonly threadId: Uint8Array; readonly headBucket: number }[],
  ): Promise<ReadonlyMap<string, { readonly seq: number; readonly ordinal: number }>> {
    const read = async ({ threadId, headBucket }: { threadId: Uint8Array; headBucket: number }) => {
      const key = hex(threadId);
      return [key, await this.#heads.read(key, threadId, headBucket)] as const;
    };
    return new Map(await Promise.all(threads.map(read)));
  }

  /** Writes what waits. After it nothing is sent here any more. */
  async close(): Promise<void> {
    await this.#receipts.close();
  }

  /** The RPCs of MessageService. Requests have passed the rules of the schema. */
  readonly handlers = {
    send: (request: SendRequest, call: Call) => this.#send(request, call),
    listEntries: (request: ListEntriesRequest, call: Call) => this.#listEntries(request, call),
    resolveSend: (request: ResolveSendRequest, call: Call) => this.#resolveSend(request, call),
    getHeads: (request: GetHeadsRequest, call: Call) => this.#getHeads(request, call),
    listReceipts: (request: ListReceiptsRequest, call: Call) => this.#listReceipts(request, call),
  };

  async #send(request: SendRequest, call: Call): Promise<MessageInitShape<typeof SendResponseSchema>> {
    if (!request.body) throw invalidField("body", "required");
    const send: Send = {
      userId: call.caller.userId,
      ...targetOf(request.target),
      clientId: request.clientId,
      baseSeq: Number(request.baseSeq),
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
    const log = await this.#logs.open(request.threadId, call.caller.userId);
    const { firstSeq, last } = await this.#reader.range(log, call.caller.userId);
    const { threadId, position, pageSize } = request;
    const page = await readPage(this.#store, threadId, last, position, pageSize, this.#bucketSize, firstSeq);
    const response = create(ListEntriesResponseSchema, { head: headOf(last), hasMore: page.hasMore });
    return withEncoded(response, page.entries);
  }

  async #resolveSend(
    request: ResolveSendRequest,
    call: Call,
  ): Promise<MessageInitShape<typeof ResolveSendResponseSchema>> {
    const resolution = await this.#resolver.resolve({
      userId: call.caller.userId,
      ...targetOf(request.target),
      clientId: request.clientId,
      baseSeq: Number(request.baseSeq),
      seal: request.seal,
    });
    if (resolution === "unknown") return { outcome: { case: "unknown", value: {} } };
    const seq = BigInt(resolution.seq);
    if (resolution.isVoid) return { outcome: { case: "never", value: { seq } } };
    return { outcome: { case: "committed", value: { seq, createdAtMs: BigInt(resolution.createdAtMs) } } };
  }

  async #getHeads(
    request: GetHeadsRequest,
    call: Call,
  ): Promise<MessageInitShape<typeof GetHeadsResponseSchema>> {
    const { userId } = call.caller;
    const heads = await Promise.all(request.threadIds.map((threadId) => this.#headFor(threadId, userId)));
    return { heads: heads.filter((head) => head !== undefined) };
  }

  /** The head of a thread as far as the user may see; undefined if it is not the user's. */
  async #headFor(threadId: Uint8Array, userId: string) {
    const log = await this.#logs.find(threadId, userId);
    if (!log) return undefined;
    const { last } = await this.#reader.range(log, userId);
    return { threadId, head: headOf(last) };
  }

  async #listReceipts(
    request: ListReceiptsRequest,
    call: Call,
  ): Promise<MessageInitShape<typeof ListReceiptsResponseSchema>> {
    const log = await this.#logs.open(request.threadId, call.caller.userId);
    const range = await this.#reader.range(log, call.caller.userId);
    const users = await this.#receipts.list(log, call.caller.userId, range);
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
