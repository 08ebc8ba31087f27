import { systemClock } from "../internal/base/clock.ts";
import { Code, ErrorReason, HeddleError, invalidField } from "../internal/base/heddle-error.ts";
import { fromHex, NAME_PATTERN, newUuid } from "../internal/base/ids.ts";
import { ThreadService } from "../internal/gen-web/heddle/thread/v1/thread_service_pb.js";
import { Calls } from "./calls.ts";
import type { Client, ConnectOptions, Conversation, Send, Target } from "./client.ts";
import { Connection } from "./connection.ts";
import { ThreadConversation } from "./conversation.ts";
import { Cursor } from "./cursor.ts";
import { directThreadId } from "./direct-thread-id.ts";
import { Events } from "./events.ts";
import { Incoming } from "./incoming.ts";
import { Keeper } from "./keeper.ts";
import { MemoryStorage } from "./memory-storage.ts";
import type { ClientEvent, ConnectionState, Device, OutboxItem, Thread } from "./model.ts";
import { Outbox, type Place } from "./outbox.ts";
import { OutboxPump } from "./outbox-pump.ts";
import { toItem } from "./outbox-record.ts";
import { Positions } from "./positions.ts";
import { Puller } from "./puller.ts";
import { RowFetcher } from "./row-fetcher.ts";
import { Sends } from "./sends.ts";
import type { Session } from "./session.ts";
import type { Storage } from "./storage.ts";
import { Sync } from "./sync.ts";
import { Threads } from "./threads.ts";
import { Tokens } from "./tokens.ts";
import { asError } from "./wire.ts";

/** If the application names none. */
const CATCH_UP = 1_000;
/** Threads whose preview line a new device fetches at once. */
const PREVIEWS = 50;

/** Makes a client, which then connects by itself. Resolves when what an earlier run kept is loaded. */
export async function connect(options: ConnectOptions): Promise<Client> {
  for (const field of ["userId", "deviceId"] as const) {
    if (!NAME_PATTERN.test(options[field])) throw invalidField(field, "1–64 of a–z, 0–9, '.', '_', '-'");
  }
  options.signal?.throwIfAborted();
  const client = new HeddleClient(options);
  await client.start();
  options.signal?.addEventListener("abort", () => void client.close(), { once: true });
  return client;
}

/** Wires the parts together. Each part has one idea; this has none of its own. */
class HeddleClient implements Client {
  readonly userId: string;
  readonly deviceId: string;
  readonly #options: ConnectOptions;
  readonly #clock;
  readonly #random;
  readonly #storage: Storage;
  readonly #end = new AbortController();
  readonly #events = new Events();
  readonly #conversations = new Map<string, ThreadConversation>();
  readonly #calls: Calls;
  readonly #tokens: Tokens;
  readonly #keeper: Keeper;
  readonly #cursor: Cursor;
  readonly #threads: Threads;
  readonly #puller: Puller;
  readonly #positions: Positions;
  readonly #rows: RowFetcher;
  readonly #sends: Sends;
  readonly #outbox: Outbox;
  readonly #pump: OutboxPump;
  readonly #sync: Sync;
  readonly #incoming: Incoming;
  readonly #connection: Connection;
  #run: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: ConnectOptions) {
    this.userId = options.userId;
    this.deviceId = options.deviceId;
    this.#options = options;
    const clock = options.clock ?? systemClock;
    const random = options.random ?? Math.random;
    this.#clock = clock;
    this.#random = random;
    this.#storage = options.storage ?? new MemoryStorage();
    const onFault = (fault: unknown) => this.#trouble(fault);
    this.#tokens = new Tokens(options.credentials, this.#end.signal);
    this.#calls = new Calls(options.transport, this.#tokens, this.#end.signal);
    const calls = this.#calls;
    this.#keeper = new Keeper(this.#storage, clock, onFault);
    this.#cursor = new Cursor(this.#keeper);
    const cursor = this.#cursor;
    const events = this.#events;
    const threads = new Threads({
      userId: this.userId,
      events,
      keeper: this.#keeper,
      onMissing: (state) => this.#puller.want(state),
      onPulled: (state) => this.#positions.pulled(state),
    });
    this.#threads = threads;
    const catchUp = options.catchUp ?? CATCH_UP;
    this.#puller = new Puller({ calls, threads, events, clock, random, catchUp });
    this.#positions = new Positions(threads, clock);
    this.#rows = new RowFetcher(calls, threads, clock, random);
    this.#sends = new Sends(threads, events);
    this.#outbox = new Outbox({
      storage: this.#storage,
      clock,
      baseSeq: (threadId) => threads.get(threadId)?.log.highest ?? 0,
      onChange: (item, place, was) => this.#sendChanged(item, place, was),
      onFault,
    });
    this.#pump = new OutboxPump({ outbox: this.#outbox, calls, clock, random });
    this.#sync = new Sync({ calls, threads, cursor, clock, random });
    this.#incoming = new Incoming({
      userId: this.userId,
      threads,
      rows: this.#rows,
      pump: this.#pump,
      positions: this.#positions,
      sends: this.#sends,
      sync: this.#sync,
      cursor,
      onCaughtUp: (_, wasFirst) => this.#caughtUp(wasFirst),
    });
    this.#connection = this.#newConnection();
  }

  #newConnection(): Connection {
    return new Connection({
      userId: this.userId,
      deviceId: this.deviceId,
      transport: this.#options.transport,
      calls: this.#calls,
      tokens: this.#tokens,
      clock: this.#clock,
      random: this.#random,
      cursor: () => this.#cursor.bytes,
      dropCursor: () => this.#cursor.drop(),
      onState: (state) => this.#stateChanged(state),
      onEvent: (event, session) => this.#incoming.take(event, session),
      onAcked: () => this.#positions.acked(),
      onOpened: (session) => this.#setSession(session),
      onEnded: (session) => this.#sessionEnded(session),
    });
  }

  /** Loads what was kept, and begins to connect. */
  async start(): Promise<void> {
    const kept = await this.#storage.load();
    this.#cursor.load(kept);
    this.#threads.load(kept);
    this.#outbox.load(kept);
    for (const item of this.#outbox.items()) this.#sends.follow(item);
    for (const state of this.#threads.all()) if (state.log.missing()) this.#puller.want(state);
    this.#run = this.#connection.run();
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  ready(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const { phase, reason } = this.state;
        if (phase === "live" || phase === "draining") settle(resolve);
        else if (phase === "signed-out")
          settle(() => reject(reason?.error ?? signedOut(reason?.kind ?? "closed")));
        else if (signal?.aborted) settle(() => reject(signal.reason));
      };
      const settle = (how: () => void) => {
        stop();
        signal?.removeEventListener("abort", check);
        how();
      };
      const stop = this.#events.on((event) => event.type === "state" && check());
      signal?.addEventListener("abort", check, { once: true });
      check();
    });
  }

  threads(): readonly Thread[] {
    return this.#threads.list();
  }

  conversation(threadId: string): Conversation {
    return this.#conversation(threadId, undefined);
  }

  async direct(userId: string): Promise<Conversation> {
    return this.#conversation(await this.#directId(userId), userId);
  }

  async send(target: Target, text: string): Promise<Send> {
    this.#end.signal.throwIfAborted();
    const threadId = "to" in target ? await this.#directId(target.to) : target.threadId;
    if (!/^[0-9a-f]{32}$/.test(threadId)) throw invalidField("threadId", "32 hex digits");
    const isKnown = (this.#threads.get(threadId)?.log.head.seq ?? 0) > 0;
    const attempt = this.#pump.canTry(threadId) ? 1 : 0;
    const record = await this.#outbox.compose(threadId, isKnown ? { threadId } : target, text, attempt);
    const send = this.#sends.follow(toItem(record));
    this.#sends.update(toItem(record));
    this.#pump.begin(record);
    return send;
  }

  outbox(): readonly OutboxItem[] {
    return this.#outbox.items();
  }

  async retry(clientId: string): Promise<Send> {
    const record = this.#outbox.get(clientId);
    if (record?.phase !== "failed") throw invalidField("clientId", "no failed send has it");
    const send = await this.send(record.identity.target, record.identity.text);
    await this.discard(clientId);
    return send;
  }

  async discard(clientId: string): Promise<void> {
    const record = await this.#outbox.discard(clientId);
    if (!record) throw invalidField("clientId", "no failed send has it");
    const state = this.#threads.get(record.threadId);
    if (state) this.#threads.changed(state);
  }

  markRead(threadId: string, seq: number): void {
    const state = this.#threads.get(threadId);
    if (state) this.#positions.markRead(state, seq);
  }

  async setMuted(threadId: string, isMuted: boolean, signal?: AbortSignal): Promise<Thread> {
    const request = { threadId: fromHex(threadId), isMuted, requestId: newUuid(this.#clock.nowMs()) };
    const { thread } = await this.#calls.call(ThreadService.method.setMuted, request, signal);
    if (thread) this.#threads.takeRow(thread, false);
    return this.#threads.ensure(threadId).view(this.userId);
  }

  async devices(signal?: AbortSignal): Promise<readonly Device[]> {
    const { devices } = await this.#calls.call(ThreadService.method.listDevices, {}, signal);
    return devices.map((device) => ({
      deviceId: device.deviceId,
      createdAtMs: Number(device.createdAtMs),
      lastOpenedAtMs: Number(device.lastOpenedAtMs),
    }));
  }

  async revokeDevice(deviceId: string, signal?: AbortSignal): Promise<void> {
    const request = { deviceId, requestId: newUuid(this.#clock.nowMs()) };
    await this.#calls.call(ThreadService.method.revokeDevice, request, signal);
  }

  on(listener: (event: ClientEvent) => void): () => void {
    return this.#events.on(listener);
  }

  events(signal?: AbortSignal): AsyncIterable<ClientEvent> {
    return this.#events.iterate(signal);
  }

  foreground(): void {
    this.#connection.nudge();
    this.#sync.want();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#positions.flush();
    this.#pump.close();
    this.#puller.setOpen(false);
    this.#sync.setOpen(false);
    this.#connection.close();
    this.#end.abort(signedOut("closed"));
    await this.#run;
    this.#sends.close();
    this.#events.close();
    await this.#keeper.flush();
    this.#options.transport.close();
    await this.#storage.close();
  }

  async #directId(userId: string): Promise<string> {
    if (!NAME_PATTERN.test(userId)) throw invalidField("to", "1–64 of a–z, 0–9, '.', '_', '-'");
    if (userId === this.userId) {
      throw new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.SELF_THREAD, "one cannot chat with oneself");
    }
    return await directThreadId(this.userId, userId);
  }

  #conversation(threadId: string, to: string | undefined): ThreadConversation {
    const known = this.#conversations.get(threadId);
    if (known) return known;
    const conversation = new ThreadConversation(
      {
        userId: this.userId,
        threads: this.#threads,
        puller: this.#puller,
        positions: this.#positions,
        calls: this.#calls,
        events: this.#events,
        outbox: () => this.outbox(),
        send: (target, text) => this.send(target, text),
      },
      this.#threads.ensure(threadId),
      to,
    );
    this.#conversations.set(threadId, conversation);
    return conversation;
  }

  #setSession(session: Session): void {
    this.#pump.setSession(session);
    this.#positions.setSession(session);
    this.#puller.setOpen(true);
  }

  #sessionEnded(session: Session): void {
    this.#pump.sessionEnded(session);
  }

  #stateChanged(state: ConnectionState): void {
    const isConnected = state.phase === "live" || state.phase === "draining";
    this.#sync.setOpen(isConnected);
    if (!isConnected && state.phase !== "backfilling") this.#puller.setOpen(false);
    this.#events.emit({ type: "state", state });
  }

  #caughtUp(wasFirst: boolean): void {
    this.#events.emit({ type: "caught_up" });
    const previews = wasFirst ? this.threads().slice(0, PREVIEWS) : [];
    for (const { threadId, last } of previews)
      if (!last) this.#puller.preview(this.#threads.ensure(threadId));
    const watched = new Set(this.#sends.threads());
    for (const state of this.#threads.all()) if (state.log.isOpen) watched.add(state.threadId);
    for (const threadId of watched) {
      this.#conversation(threadId, undefined)
        .refreshReceipts()
        .then(
          () => this.#sends.advance(threadId),
          () => {}, // The next session asks again.
        );
    }
  }

  /** A send changed. Once it is sent its entry belongs to the thread, in its place. */
  #sendChanged(item: OutboxItem, place: Place | undefined, was: string | undefined): void {
    if (place) this.#threads.takeOwn(item, place);
    this.#sends.update(item, was);
    this.#sends.advance(item.threadId);
    const state = this.#threads.get(item.threadId);
    if (state && place) this.#rows.want(state);
  }

  #trouble(fault: unknown): void {
    this.#events.emit({ type: "trouble", error: asError(fault) });
  }
}

function signedOut(kind: string): HeddleError {
  return new HeddleError(Code.CANCELLED, ErrorReason.UNSPECIFIED, `signed out: ${kind}`);
}
