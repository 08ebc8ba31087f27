import { create } from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError, invalidField } from "../../internal/base/heddle-error.ts";
import {
  DEVICE_ID_PATTERN,
  DEVICE_ID_RULE,
  fromHex,
  newUuid,
  USER_ID_PATTERN,
  USER_ID_RULE,
} from "../../internal/base/ids.ts";
import { ProfileSchema } from "../../internal/gen/heddle/profile/v1/profile_pb.js";
import { ProfileService } from "../../internal/gen/heddle/profile/v1/profile_service_pb.js";
import { ThreadService } from "../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import type {
  ClientEvent,
  ConnectionState,
  Device,
  OutboxItem,
  Presence,
  Profile,
  Thread,
  Visibility,
} from "../model/model.ts";
import { type OutboxRecord, toItem } from "../outbox/outbox-record.ts";
import type { Send } from "../outbox/send.ts";
import { unlessAborted } from "../stream/unless-aborted.ts";
import { BlockCalls } from "./blocks.ts";
import type { Client, ConnectOptions, Conversation, Target } from "./client.ts";
import { ThreadConversation } from "./conversation.ts";
import { directThreadId } from "./direct-thread-id.ts";
import { Engine, signedOut } from "./engine.ts";
import { GroupCalls } from "./groups.ts";
import { checkThreadId } from "./thread-id.ts";
import { getVisibility, setVisibility } from "./visibility.ts";

/**
 * Makes a client, which then connects by itself. Resolves when what an earlier run kept is loaded. Rejects as loading
 * does, as the signal does, or with INVALID_ARGUMENT for a wrong id; then it has closed transport and storage.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { signal } = options;
  const engine = new Engine(options);
  try {
    if (!USER_ID_PATTERN.test(options.userId)) throw invalidField("userId", USER_ID_RULE);
    if (!DEVICE_ID_PATTERN.test(options.deviceId)) throw invalidField("deviceId", DEVICE_ID_RULE);
    signal?.throwIfAborted();
    await engine.start(signal);
  } catch (thrown) {
    await engine.close().catch(() => {}); // Why it could not begin says more.
    throw thrown;
  }
  const client = new HeddleClient(engine);
  // The application, which closes it as well, hears what went wrong.
  const close = () => void client.close().catch(() => {});
  signal?.addEventListener("abort", close);
  engine.signal.addEventListener("abort", () => signal?.removeEventListener("abort", close));
  return client;
}

/** What an application may ask for, on the parts that do it. */
class HeddleClient implements Client {
  readonly userId: string;
  readonly deviceId: string;
  readonly groups: GroupCalls;
  readonly blocks: BlockCalls;
  readonly #engine: Engine;
  /** One object a thread, for as long as the client is there: what one part of an application opens, others see open. */
  readonly #conversations = new Map<string, ThreadConversation>();
  #closing: Promise<void> | undefined;
  /** The sends so far have their places in the outbox. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.userId = engine.options.userId;
    this.deviceId = engine.options.deviceId;
    const { calls, writes, threads } = engine;
    this.groups = new GroupCalls({ calls, writes, threads });
    this.blocks = new BlockCalls({ calls, writes, threads });
  }

  get state(): ConnectionState {
    return this.#engine.connection.state;
  }

  async ready(signal?: AbortSignal): Promise<void> {
    await this.#until(
      ({ phase }) => phase === "live" || phase === "draining" || phase === "signed-out",
      signal,
    );
    const { phase, reason } = this.state;
    if (phase === "signed-out") throw reason?.error ?? signedOut(reason?.kind ?? "closed");
  }

  settled(signal?: AbortSignal): Promise<void> {
    return unlessAborted(this.#engine.settled(), signal);
  }

  threads(): readonly Thread[] {
    return this.#engine.threads.list();
  }

  conversation(threadId: string): Conversation {
    return this.#conversation(checkThreadId(threadId), undefined);
  }

  async direct(userId: string): Promise<Conversation> {
    return this.#conversation(await this.#directId(userId), userId);
  }

  send(target: Target, text: string): Promise<Send> {
    return this.#send(target, text, undefined);
  }

  outbox(): readonly OutboxItem[] {
    return this.#engine.outbox.items();
  }

  async retry(clientId: string): Promise<Send> {
    const record = this.#failed(clientId);
    return await this.#send(record.identity.target, record.identity.text, record);
  }

  async discard(clientId: string): Promise<void> {
    const record = this.#failed(clientId);
    await this.#engine.outbox.discard(record);
    const state = this.#engine.threads.get(record.threadId);
    if (state) this.#engine.threads.changed(state);
  }

  markRead(threadId: string, seq: number): void {
    const state = this.#engine.threads.get(threadId);
    if (state) this.#engine.positions.markRead(state, seq);
  }

  // What sets a value is tried once, here and below: a repeat that goes on unseen could undo a newer choice. The caller
  // hears that the outcome is not known, and asking again does no harm.
  async setMuted(threadId: string, isMuted: boolean, signal?: AbortSignal): Promise<Thread> {
    const { calls, threads } = this.#engine;
    const request = { threadId: fromHex(checkThreadId(threadId)), isMuted, requestId: this.#requestId() };
    const { thread } = await calls.call(ThreadService.method.setMuted, request, signal);
    return threads.takeAnswer(thread);
  }

  async devices(signal?: AbortSignal): Promise<readonly Device[]> {
    const { devices } = await this.#engine.calls.call(ThreadService.method.listDevices, {}, signal);
    return devices.map(({ deviceId, createdAtMs, lastOpenedAtMs }) => ({
      deviceId,
      createdAtMs: Number(createdAtMs),
      lastOpenedAtMs: Number(lastOpenedAtMs),
    }));
  }

  async revokeDevice(deviceId: string, signal?: AbortSignal): Promise<void> {
    const request = { deviceId, requestId: this.#requestId() };
    await this.#engine.writes.call(ThreadService.method.revokeDevice, request, signal);
  }

  watch(userIds: Iterable<string>): void {
    this.#engine.presences.watch(userIds);
  }

  presence(userId: string): Presence | undefined {
    return this.#engine.presences.get(userId);
  }

  profile(userId: string): Profile | undefined {
    return this.#engine.profiles.get(userId);
  }

  profiles(userIds: Iterable<string>, signal?: AbortSignal): Promise<ReadonlyMap<string, Profile>> {
    return this.#engine.profiles.list(userIds, signal);
  }

  async setProfile(
    { displayName = "", pictureUrl = "" }: Partial<Pick<Profile, "displayName" | "pictureUrl">>,
    signal?: AbortSignal,
  ): Promise<Profile> {
    const request = { displayName, pictureUrl, requestId: this.#requestId() };
    const { profile } = await this.#engine.calls.call(ProfileService.method.setProfile, request, signal);
    return this.#engine.profiles.takeProfile(profile ?? create(ProfileSchema, { userId: this.userId }));
  }

  visibility(signal?: AbortSignal): Promise<Visibility> {
    return getVisibility(this.#engine.calls, signal);
  }

  setVisibility(visibility: Visibility, signal?: AbortSignal): Promise<Visibility> {
    return setVisibility(this.#engine.calls, visibility, this.#requestId(), signal);
  }

  typing(threadId: string): void {
    this.#engine.typing.say(checkThreadId(threadId));
  }

  typists(threadId: string): readonly string[] {
    return this.#engine.typing.in(threadId);
  }

  on(listener: (event: ClientEvent) => void): () => void {
    return this.#engine.events.on(listener);
  }

  events(signal?: AbortSignal): AsyncIterable<ClientEvent> {
    return this.#engine.events.iterate(signal);
  }

  foreground(): void {
    this.#engine.connection.nudge();
    this.#engine.sync.want();
  }

  close(): Promise<void> {
    this.#closing ??= this.#engine.close();
    return this.#closing;
  }

  /**
   * Sends take their places in the order of the calls, though the id of a direct thread is a hash that is waited for;
   * their writes go side by side.
   */
  async #send(target: Target, text: string, instead: OutboxRecord | undefined): Promise<Send> {
    const { signal, pump, sends } = this.#engine;
    signal.throwIfAborted();
    const placed = this.#turn.then(() => this.#place(target, text, instead));
    this.#turn = placed.catch(() => {});
    try {
      const record = await (await placed).kept;
      const send = sends.follow(toItem(record));
      sends.update(toItem(record));
      pump.begin(record);
      return send;
    } catch (thrown) {
      pump.pump(); // What waited behind it need not.
      throw thrown;
    }
  }

  /** Gives a send its place. `kept` settles when it is safe, or cannot be kept. */
  async #place(
    target: Target,
    text: string,
    instead: OutboxRecord | undefined,
  ): Promise<{ kept: Promise<OutboxRecord> }> {
    const { threads, pump, outbox } = this.#engine;
    const threadId = "to" in target ? await this.#directId(target.to) : checkThreadId(target.threadId);
    const thread = threads.get(threadId);
    if (thread?.hasLeft) throw noMember();
    const isKnown = (thread?.log.head.seq ?? 0) > 0;
    // A direct thread that was dropped may have to be made again.
    const peer = thread?.peer(this.userId);
    const whole = peer === undefined ? target : { to: peer };
    const attempt = pump.canTry(threadId) ? 1 : 0;
    return { kept: outbox.compose(threadId, isKnown ? { threadId } : whole, text, attempt, instead) };
  }

  /** Rejects with INVALID_ARGUMENT, of oneself with SELF_THREAD. */
  async #directId(userId: string): Promise<string> {
    if (!USER_ID_PATTERN.test(userId)) throw invalidField("to", USER_ID_RULE);
    if (userId === this.userId) {
      throw new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.SELF_THREAD, "one cannot chat with oneself");
    }
    return await directThreadId(this.userId, userId, this.#engine.digest);
  }

  /** `to`: the other user, where the id was made from both: the thread may not exist yet. */
  #conversation(threadId: string, to: string | undefined): ThreadConversation {
    const known = this.#conversations.get(threadId);
    if (known) return known;
    const { threads } = this.#engine;
    const conversation = new ThreadConversation(
      {
        ...{ userId: this.userId, threads, puller: this.#engine.puller, positions: this.#engine.positions },
        receipts: this.#engine.receipts,
        events: this.#engine.events,
        outbox: () => this.outbox(),
        known: (signal) => this.#known(signal),
        compared: (id) => this.#engine.history.compared([id]),
        send: (target, text) => this.send(target, text),
      },
      threads.ensure(threadId),
      to,
    );
    this.#conversations.set(threadId, conversation);
    return conversation;
  }

  /** Resolves when the connection's state is as asked. Rejects as the signal does. */
  #until(isReached: (state: ConnectionState) => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (isReached(this.state)) settle(resolve);
        else if (signal?.aborted) settle(() => reject(signal.reason));
      };
      const settle = (how: () => void) => {
        stop();
        signal?.removeEventListener("abort", check);
        how();
      };
      const stop = this.on((event) => event.type === "state" && check());
      signal?.addEventListener("abort", check, { once: true });
      check();
    });
  }

  /** A device that was never caught up waits for that, unless it is offline. */
  async #known(signal?: AbortSignal): Promise<void> {
    const isUnderWay = ({ phase, reason }: ConnectionState) =>
      phase === "connecting" || phase === "backfilling" || reason?.kind === "starting";
    if (this.#engine.cursor.isFirst) await this.#until((state) => !isUnderWay(state), signal);
  }

  /** Throws INVALID_ARGUMENT where no failed send has this id. */
  #failed(clientId: string) {
    return this.#engine.outbox.failedOne(clientId);
  }

  /** For a call that is tried once. What is repeated goes by WriteCalls, which keeps to one id. */
  #requestId(): Uint8Array {
    return newUuid(this.#engine.clock.nowMs());
  }
}

/** What the server would say, without asking it. */
function noMember(): HeddleError {
  const text = "you are no member of this group any more";
  return new HeddleError(Code.NOT_FOUND, ErrorReason.THREAD_NOT_FOUND, text);
}
