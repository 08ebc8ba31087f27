import { create, toBinary } from "@bufbuild/protobuf";
import { HeddleError, threadNotFound } from "../../../base/heddle-error.ts";
import { fromHex, hex } from "../../../base/ids.ts";
import { createLog } from "../../../base/log.ts";
import { inbox, type Publication } from "../../../base/publication.ts";
import type { Accepted, Send, Settle } from "../../../base/send.ts";
import { SoleChannel } from "../../../channel/sole-channel.ts";
import { ServerFrameSchema } from "../../../gen/heddle/push/v1/frame_pb.js";
import {
  type SubscribeRequest,
  SubscribeRequestSchema,
} from "../../../gen/heddle/push/v1/push_service_pb.js";
import { type Thread, ThreadKind, ThreadSchema } from "../../../gen/heddle/thread/v1/thread_pb.js";
import type { Channel, Membership, Messages, Presence, SyncPage, Threads } from "../../../push/ports.ts";
import { PushServer } from "../../../push/service.ts";
import type { Call, Caller } from "../../../rpc/calls/handlers.ts";
import { FakeRing } from "../../fakes/neighbours/fake-ring.ts";
import { FakeByteStream } from "../../fakes/streams/fake-byte-stream.ts";
import { FakeClock } from "../../fakes/time/fake-clock.ts";
import { ManualLoop } from "../../fakes/time/manual-loop.ts";
import { GrpcLinks } from "./grpc-links.ts";
import { type DialLink, dialInMemory, overLinks, type PushPorts } from "./push-links.ts";

/** The presence service without an instance. */
export const NO_PRESENCE: Presence = {
  ring: new FakeRing([]),
  attach: () => {
    throw new Error("there is no instance");
  },
};

type Receipt = Parameters<Messages["raiseReceipt"]>[0];

/** The port to the message service: keeps what it is told; a test settles. */
export class FakeMessages implements Messages {
  readonly sends: { readonly send: Send; readonly settle: Settle }[] = [];
  readonly receipts: Receipt[] = [];
  readonly flushed: string[] = [];
  readonly typings: Parameters<Messages["typing"]>[0][] = [];
  /** What membership answers; without a test's word there is no group. */
  memberships: (threadId: Uint8Array, userIds: readonly string[]) => Membership | Promise<Membership> =
    () => {
      throw threadNotFound();
    };
  /** What raiseReceipt and typing reject with, if set. */
  receiptError: HeddleError | undefined;

  send(send: Send, settle: Settle): void {
    this.sends.push({ send, settle });
  }

  async raiseReceipt(receipt: Receipt): Promise<void> {
    this.receipts.push(receipt);
    if (this.receiptError) throw this.receiptError;
  }

  async flushReceipts(userId: string): Promise<void> {
    this.flushed.push(userId);
  }

  async typing(typing: Parameters<Messages["typing"]>[0]): Promise<void> {
    this.typings.push(typing);
    if (this.receiptError) throw this.receiptError;
  }

  async membership(threadId: Uint8Array, userIds: readonly string[]): Promise<Membership> {
    return this.memberships(threadId, userIds);
  }

  /** Settles the oldest send. */
  settle(outcome: Partial<Accepted> | HeddleError = {}): void {
    const next = this.sends.shift();
    if (!next) throw new Error("there is no send to settle");
    const { clientId, threadId = new Uint8Array(16) } = next.send;
    if (outcome instanceof HeddleError) next.settle(outcome);
    else {
      const accepted = {
        threadId,
        clientId,
        seq: 1,
        createdAtMs: 1,
        duplicate: false,
        recipientOffline: undefined,
      };
      next.settle({ ...accepted, ...outcome });
    }
  }
}

/** The port to the thread service: answers at once from `pages`, or when a test lets it. */
export class FakeThreads implements Threads {
  /** The pages of a sync, in order, by the cursor it starts from in hex; without one it is empty. */
  readonly pages = new Map<string, readonly (readonly Thread[])[]>();
  /** Cursors that syncs started from, in hex. */
  readonly asked: string[] = [];
  /** The same, as they came. */
  readonly cursors: Uint8Array[] = [];
  /** While set, calls wait here. */
  held: (() => void)[] | undefined;
  /** What the next calls reject with, one each. */
  readonly errors: unknown[] = [];

  /** Groups that users are members of, in hex, by user. */
  readonly memberOf = new Map<string, readonly string[]>();

  /** Devices that were revoked: user, blank, device. */
  readonly revokedDevices = new Set<string>();

  /** Devices whose use was noted, in order: user, blank, device. */
  readonly usedDevices: string[] = [];

  deviceUsed(userId: string, deviceId: string): void {
    this.usedDevices.push(`${userId} ${deviceId}`);
  }

  async revoked(userId: string, deviceIds: readonly string[]): Promise<readonly string[]> {
    return deviceIds.filter((deviceId) => this.revokedDevices.has(`${userId} ${deviceId}`));
  }

  async groups(userId: string): Promise<readonly Uint8Array[]> {
    return (this.memberOf.get(userId) ?? []).map(fromHex);
  }

  async sync(_userId: string, cursor: Uint8Array, pageToken: Uint8Array): Promise<SyncPage> {
    this.asked.push(hex(cursor));
    this.cursors.push(cursor);
    const { held } = this;
    if (held) await new Promise<void>((resolve) => held.push(resolve));
    if (this.errors.length > 0) throw this.errors.shift();
    const pages = this.pages.get(hex(cursor)) ?? [[]];
    const at = pageToken[0] ?? 0;
    const isLast = at + 1 >= pages.length;
    return {
      threads: pages[at] ?? [],
      nextPageToken: isLast ? new Uint8Array(0) : Uint8Array.of(at + 1),
      cursor: isLast ? Uint8Array.of((cursor[0] ?? 0) + 1) : new Uint8Array(0),
    };
  }
}

/** A push server between a real channel service and the two ports behind it, with time and ticks in a test's hand. */
export class PushWorld {
  readonly clock = new FakeClock();
  readonly loop: ManualLoop;
  readonly messages = new FakeMessages();
  readonly threads = new FakeThreads();
  readonly presence = NO_PRESENCE;
  readonly channel: SoleChannel;
  readonly server: PushServer;
  readonly #ports: PushPorts;
  readonly #capacity: number;
  readonly #streamsPerUser: number;

  constructor(
    options: {
      readonly linkBytes?: number;
      readonly capacity?: number;
      readonly streamsPerUser?: number;
      /** Where messages, threads and channel are at the other ends of links: how these are dialled. */
      readonly dial?: DialLink;
      /** What such links have on their way (ManualLoop). */
      readonly arrives?: () => Promise<boolean>;
    } = {},
  ) {
    const { clock } = this;
    const loop = new ManualLoop(options.arrives);
    this.loop = loop;
    const { linkBytes, capacity = 1_000, streamsPerUser = capacity } = options;
    this.#streamsPerUser = streamsPerUser;
    this.channel = new SoleChannel({
      clock,
      tick: loop.tick,
      ...(linkBytes === undefined ? {} : { linkBytes }),
    });
    this.#capacity = capacity;
    const { messages, threads, channel } = this;
    const ports = { messages, threads, channel };
    this.#ports = options.dial ? overLinks(ports, loop.tick, options.dial) : ports;
    this.server = this.restart();
  }

  /** Another push server on the same ports, or on another channel service. */
  restart(channel: Channel = this.#ports.channel): PushServer {
    return new PushServer({
      ...this.#ports,
      channel,
      presence: this.presence,
      clock: this.clock,
      log: createLog({ level: "silent" }),
      config: { name: "push", capacity: this.#capacity, streamsPerUser: this.#streamsPerUser },
      tick: this.loop.tick,
    });
  }

  /** A ticket's bearer. The session's id is made of `session`, one byte. */
  call(userId: string, session: number, changes: Partial<Caller> = {}): Call {
    const now = this.clock.nowMs();
    const caller: Caller = {
      userId,
      sessionId: new Uint8Array(16).fill(session),
      deviceId: "phone",
      openByMs: now + 60_000,
      expiresAtMs: now + 600_000,
      userTokenExpiresAtMs: now + 3_600_000,
      ...changes,
    };
    return { caller, requestId: "request", signal: new AbortController().signal };
  }

  /** A Connect stream that has said nothing. */
  stream(
    userId: string,
    session: number,
    changes: Partial<Caller> = {},
    server: PushServer = this.server,
  ): FakeByteStream {
    const stream = new FakeByteStream(this.call(userId, session, changes));
    server.connect(stream);
    return stream;
  }

  /** A Connect stream that is live. */
  async live(
    userId: string,
    session: number,
    changes: Partial<Caller> = {},
    server: PushServer = this.server,
  ): Promise<FakeByteStream> {
    const stream = this.stream(userId, session, changes, server);
    stream.say({
      case: "open",
      value: { deviceId: stream.call.caller.deviceId ?? "", cursor: new Uint8Array(0) },
    } as never);
    await this.loop.settle();
    return stream;
  }

  /** A Subscribe stream that is live. */
  async subscribed(userId: string, session: number): Promise<FakeByteStream> {
    const stream = new FakeByteStream(this.call(userId, session));
    this.server.subscribe(subscribeRequest("phone"), stream);
    await this.loop.settle();
    return stream;
  }

  /** Settles the oldest send, once it has come, and lets its outcome arrive. */
  async settleSend(outcome?: Parameters<FakeMessages["settle"]>[0]): Promise<void> {
    await this.loop.settle();
    this.messages.settle(outcome);
    await this.loop.settle();
  }

  /** Publishes and lets it arrive. */
  async publish(publication: Publication): Promise<void> {
    await this.channel.publish(publication);
    await this.loop.settle();
  }

  /** Time passes, and what it sets off settles. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.loop.settle();
  }
}

export { deviceRevoked } from "../../../thread/thread-message.ts";

export function subscribeRequest(deviceId: string, cursor = new Uint8Array(0)): SubscribeRequest {
  return create(SubscribeRequestSchema, { deviceId, cursor });
}

/** A thread's id in hex, from one number. */
export function threadOf(number: number): string {
  return number.toString(16).padStart(32, "0");
}

/** An entry of `from` to `to`'s inbox, as the message service publishes it. */
export function entry(options: {
  readonly thread: string;
  readonly seq: number;
  readonly from: string;
  readonly to: string;
  readonly text?: string;
  readonly originSession?: string;
}): Publication {
  const { thread, seq, from, to, text = "hi", originSession = "" } = options;
  const value = {
    threadId: fromHex(thread),
    seq: BigInt(seq),
    sender: from,
    ordinal: BigInt(seq),
    body: { kind: { case: "text" as const, value: { text } } },
  };
  const frame = create(ServerFrameSchema, { events: [{ kind: { case: "entry", value } }] } as never);
  return {
    kind: "entry",
    topics: [inbox(from), inbox(to)],
    frame: toBinary(ServerFrameSchema, frame),
    thread,
    seq,
    ordinal: seq,
    userId: from,
    originSession,
  };
}

/** A receipt of `userId` for both users. */
export function receipt(options: {
  readonly thread: string;
  readonly userId: string;
  readonly to: string;
  readonly readSeq: number;
  readonly deliveredSeq?: number;
  readonly originSession?: string;
}): Publication {
  const { thread, userId, to, readSeq, deliveredSeq = 0, originSession = "" } = options;
  const positions = { deliveredSeq: BigInt(deliveredSeq), readSeq: BigInt(readSeq) };
  const value = { threadId: fromHex(thread), userId, ...positions };
  const frame = create(ServerFrameSchema, { events: [{ kind: { case: "receipt", value } }] } as never);
  return {
    kind: "receipt",
    topics: [inbox(userId), inbox(to)],
    frame: toBinary(ServerFrameSchema, frame),
    thread,
    seq: 0,
    ordinal: 0,
    userId,
    originSession,
  };
}

type MakeWorld = (options?: ConstructorParameters<typeof PushWorld>[0]) => PushWorld;

/**
 * A suite of a push server that is run three times: bound directly, with each service at the other end of a link in
 * memory, and of one over grpc-js. `world` makes one.
 */
export function describePushWorlds(title: string, suite: (world: MakeWorld) => void): void {
  describe(`${title}, bound directly`, () => suite((options) => new PushWorld(options)));
  describe(`${title}, over links`, () =>
    suite((options) => new PushWorld({ ...options, dial: dialInMemory })));
  describe(`${title}, over gRPC`, () => {
    let links: GrpcLinks;
    before(async () => {
      links = await GrpcLinks.start();
    });
    afterEach(() => links.cut());
    after(() => links.close());
    suite(
      (options) =>
        new PushWorld({
          ...options,
          dial: (context, serve) => links.dial(context, serve),
          arrives: () => links.arrives(),
        }),
    );
  });
}

/** A row of Sync. */
export function row(number: number, seq: number): Thread {
  return create(ThreadSchema, {
    threadId: fromHex(threadOf(number)),
    kind: ThreadKind.DIRECT,
    participants: ["ann", "bob"],
    head: { seq: BigInt(seq), ordinal: BigInt(seq) },
  });
}
