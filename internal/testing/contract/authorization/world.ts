import { randomBytes } from "node:crypto";
import { Code as ConnectCode, ConnectError } from "@connectrpc/connect";
import { HeddleError } from "../../../base/heddle-error.ts";
import { equalBytes } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { Coverage } from "../contract-coverage/coverage.ts";
import { type Api, RecordedHeddle } from "../contract-coverage/recorded-heddle.ts";
import { sendOf } from "../contract-coverage/send-request.ts";
import type { RawStream } from "../raw-stream.ts";
import { type Asker, USERS } from "./asker.ts";

/** A device of rev's that is revoked. */
export const LOST = "lost";

/** 16 random bytes. */
export const requestId = () => new Uint8Array(randomBytes(16));

/**
 * A running Heddle in which ann has a group, and stands to each asker as its column says: bob is a member, exa was one,
 * ret was away from it for a while, nev never, she has blocked bla, blo has blocked her, str has begun a direct thread and a group with her.
 */
export class World {
  readonly #heddle: RecordedHeddle;
  readonly #streams: RawStream[] = [];
  /** Ann's group, her first messages in it, where exa was removed, and where ret was, and added again. */
  group: Uint8Array = new Uint8Array(0);
  annsClientIds: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  leftSeq = 0n;
  away: { readonly fromSeq: bigint; readonly toSeq: bigint } = { fromSeq: 0n, toSeq: 0n };
  /** Of bla, blo and str, their own groups. */
  readonly groups = new Map<string, Uint8Array>();
  /** What rev got for the lost device before it was revoked. */
  lost: { readonly ticket: string; readonly sessionId: Uint8Array } = {
    ticket: "",
    sessionId: new Uint8Array(0),
  };
  /** Ann's device that acts on streams. */
  ann!: RawStream;

  private constructor(heddle: RecordedHeddle) {
    this.#heddle = heddle;
  }

  /** Starts it all. Rejects with nothing left behind. */
  static async open(): Promise<World> {
    const heddle = await RecordedHeddle.start(new Coverage(), { sightRule: "written" });
    const world = new World(heddle);
    try {
      await heddle.signIn(["ann", "lea", "dee", "zed", ...new Set(Object.values(USERS))]);
      await world.#makeThreads();
      await world.#loseDevice();
      world.ann = await heddle.session("ann", "phone");
      world.ann.keepAlive();
      await heddle.session("ann", "tablet");
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#heddle.stop();
    await this.#heddle.remove();
  }

  /** The services as a user calls them. */
  as(userId: string): Api {
    return this.#heddle.as(userId);
  }

  /** The services with a token or ticket. */
  with(credential: string): Api {
    return this.#heddle.with(credential);
  }

  /** A user's own token. */
  userToken(userId: string): string {
    return this.#heddle.tokenOf(userId);
  }

  /** The thread in which an asker stands to ann as its column says. */
  threadOf(asker: Asker): Uint8Array {
    const isPair = asker === "blocked" || asker === "blocker";
    return isPair ? directThreadId("ann", USERS[asker]) : this.group;
  }

  /** A fresh ticket for a device's stream. */
  async ticket(userId: string, deviceId: string): Promise<string> {
    return (await this.as(userId).gateway.openSession({ deviceId })).ticket;
  }

  /** A stream that has said nothing. */
  async stream(ticket: string): Promise<RawStream> {
    const { grpcUrl } = await this.as("ann").gateway.openSession({ deviceId: "phone" });
    const stream = this.#heddle.stream({ ticket, grpcUrl });
    this.#streams.push(stream);
    return stream;
  }

  /** A stream that has caught up. */
  async session(userId: string, deviceId = "phone"): Promise<RawStream> {
    const stream = await this.#heddle.session(userId, deviceId);
    this.#streams.push(stream);
    return stream;
  }

  /** Ends the streams that were opened since the last call: a user may hold only so many. */
  closeStreams(): void {
    for (const stream of this.#streams.splice(0)) stream.close();
  }

  /**
   * What stands at the start. Each column depends on the order here: exa reads before it is removed, ret is away for
   * one message.
   */
  async #makeThreads(): Promise<void> {
    const ann = this.as("ann");
    const made = await ann.thread.createGroup({
      name: "weft",
      userIds: ["bob", "exa", "ret", "lea"],
      requestId: requestId(),
    });
    this.group = made.thread?.threadId ?? this.group;
    const first = sendOf(this.group, "one");
    const second = sendOf(this.group, "one and a half");
    for (const sent of [first, second]) await ann.message.send(sent);
    this.annsClientIds = [first.clientId, second.clientId];
    await this.as("exa").message.send(sendOf(this.group, "I was here"));
    await this.#read("exa", this.group);
    const removal = { threadId: this.group, userIds: ["exa"], requestId: requestId() };
    this.leftSeq = (await ann.thread.removeMembers(removal)).seq;
    await this.#goAndReturn("ret");
    await this.as("nev").message.send(sendOf("bob", "hi"));
    for (const userId of ["bla", "blo"]) {
      await ann.message.send(sendOf(userId, "hi"));
      await this.as(userId).message.send(sendOf("ann", "hi"));
      await this.#read(userId, directThreadId("ann", userId));
    }
    for (const userId of ["bla", "blo"]) await this.#makeGroup(userId, []);
    await this.#makeGroup("str", ["ann"]);
    await this.as("str").thread.createDirectThread({ userId: "ann", requestId: requestId() });
    await this.as("str").message.send(sendOf("ann", "you do not know me"));
    await ann.thread.blockUser({ userId: "bla", requestId: requestId() });
    await this.as("blo").thread.blockUser({ userId: "ann", requestId: requestId() });
  }

  /** The user is removed, something is said without it, and it is added again. */
  async #goAndReturn(userId: string): Promise<void> {
    const { thread } = this.as("ann");
    const moved = () => ({ threadId: this.group, userIds: [userId], requestId: requestId() });
    const { seq: fromSeq } = await thread.removeMembers(moved());
    await this.as("bob").message.send(sendOf(this.group, "two"));
    const { seq: toSeq } = await thread.addMembers(moved());
    this.away = { fromSeq, toSeq };
  }

  /** The user has read the first two entries: resolves when that is stored, which its other device hears. */
  async #read(userId: string, threadId: Uint8Array): Promise<void> {
    const streams = await Promise.all(["reading", "hearing"].map((device) => this.session(userId, device)));
    const [reading, hearing] = streams;
    reading?.say({ case: "receipt", value: { threadId, readSeq: 2n } as never });
    await hearing?.next("receipt", (receipt) => receipt.userId === userId);
    for (const stream of streams) stream.close();
  }

  /** A group that ann is not in, or is in without having written there. */
  async #makeGroup(userId: string, userIds: string[]): Promise<void> {
    const request = { name: "own", userIds, requestId: requestId() };
    const { thread } = await this.as(userId).thread.createGroup(request);
    this.groups.set(userId, thread?.threadId ?? new Uint8Array(0));
  }

  /** rev's device is revoked while its stream is open, and keeps the ticket that it had got. */
  async #loseDevice(): Promise<void> {
    const ticket = await this.ticket("rev", LOST);
    const stream = await this.stream(ticket);
    stream.open(LOST);
    const { sessionId } = await stream.next("opened");
    this.lost = { ticket, sessionId };
    await this.as("rev").thread.revokeDevice({ deviceId: LOST, requestId: requestId() });
    await stream.ended();
  }
}

/**
 * Waits until a send of the stream's own, to somebody who has no part in anything, is accepted: what the server makes of
 * the frames before it is known then.
 */
export async function settled(stream: RawStream): Promise<void> {
  const send = sendOf("zed", "are you done?");
  stream.say({ case: "send", value: send as never });
  await stream.next("accepted", ({ clientId }) => equalBytes(clientId, send.clientId));
}

/** What came of a call: what `judge` says of its answer, or the reason that refuses it. */
export async function outcome<T>(
  call: Promise<T>,
  judge: (answer: T) => string = () => "yes",
): Promise<string> {
  try {
    return judge(await call);
  } catch (error) {
    return reasonOf(error);
  }
}

/** The reason of an error of either client. */
export function reasonOf(error: unknown): string {
  if (error instanceof HeddleError) return error.reasonName;
  if (!(error instanceof ConnectError)) throw error;
  const [info] = error.findDetails(ErrorInfoSchema);
  return info?.reason ?? `${ConnectCode[error.code]} without a reason`;
}
