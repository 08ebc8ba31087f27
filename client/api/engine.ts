import { type Clock, systemClock } from "../../internal/base/clock.ts";
import { Code, ErrorReason, HeddleError } from "../../internal/base/heddle-error.ts";
import type { Opened } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import { Cursor } from "../log/cursor.ts";
import { History } from "../log/history.ts";
import { Positions } from "../log/positions.ts";
import { Puller } from "../log/puller.ts";
import { ReceiptReader } from "../log/receipt-reader.ts";
import { RowFetcher } from "../log/row-fetcher.ts";
import { Sync } from "../log/sync.ts";
import type { ThreadState } from "../log/thread-state.ts";
import { Threads } from "../log/threads.ts";
import { UnreadReader } from "../log/unread-reader.ts";
import { type Digest, platformDigest } from "../model/digest.ts";
import { Events } from "../model/events.ts";
import type { ConnectionState, OutboxItem } from "../model/model.ts";
import type { Place } from "../model/place.ts";
import { Outbox } from "../outbox/outbox.ts";
import { OutboxPump } from "../outbox/outbox-pump.ts";
import { Sends } from "../outbox/sends.ts";
import { Presences } from "../presence/presences.ts";
import { Typing } from "../presence/typing.ts";
import { Profiles } from "../profiles/profiles.ts";
import { Keeper } from "../storage/keeper.ts";
import { MemoryStorage } from "../storage/memory-storage.ts";
import type { Storage } from "../storage/storage.ts";
import { Calls } from "../stream/calls.ts";
import { Connection } from "../stream/connection.ts";
import type { Session } from "../stream/session.ts";
import { Tokens } from "../stream/tokens.ts";
import { unlessAborted } from "../stream/unless-aborted.ts";
import { WriteCalls } from "../stream/write-calls.ts";
import { asError } from "../transport/wire.ts";
import type { ConnectOptions } from "./client.ts";
import { Incoming } from "./incoming.ts";

/** As ConnectOptions.catchUp, in entries of one thread, if the application names none. */
const CATCH_UP = 1_000;
/** Threads whose preview line a new device fetches at once. */
const PREVIEWS = 50;

const PUT_BACK = "The server was put back to an earlier state: messages that it lost are gone here too.";
const MADE_ANEW =
  "The server's data is another than before: the chats that were kept here are gone. " +
  "Messages that had not been sent have failed: send them again, or delete them.";

/**
 * The parts of a client, and what one has to tell another. Each part has one idea, which its own file says; this has
 * none of its own. Parts come in an order in which each finds those that it is made of; what it tells later ones it tells
 * through `this`, which is whole by the time anything happens.
 */
export class Engine {
  readonly options: ConnectOptions;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly digest: Digest;
  readonly events = new Events();
  readonly calls: Calls;
  readonly writes: WriteCalls;
  readonly cursor: Cursor;
  readonly threads: Threads;
  readonly history: History;
  readonly puller: Puller;
  readonly positions: Positions;
  readonly receipts: ReceiptReader;
  readonly unread: UnreadReader;
  readonly sends: Sends;
  readonly outbox: Outbox;
  readonly pump: OutboxPump;
  readonly sync: Sync;
  readonly presences: Presences;
  readonly profiles: Profiles;
  readonly typing: Typing;
  readonly connection: Connection;
  /** Ends what the parts have under way. */
  readonly #end = new AbortController();
  readonly #keeper: Keeper;
  readonly #rows: RowFetcher;
  /** Resolves when the connection is over. Never rejects. */
  #run: Promise<void> = Promise.resolve();
  /** The log epoch under which it was said that the server was put back. */
  #saidOfEpoch = 0;

  constructor(options: ConnectOptions) {
    const { userId, transport, catchUp = CATCH_UP, clock = systemClock, random = Math.random } = options;
    const { events } = this;
    const { signal } = this.#end;
    this.options = options;
    this.clock = clock;
    this.digest = options.digest ?? platformDigest;
    this.storage = options.storage ?? new MemoryStorage();
    // Of storage: nobody waits for those writes, so the application hears of it by an event.
    const onFault = (fault: unknown) => this.#trouble(fault);
    const tokens = new Tokens(options.credentials, signal);
    const calls = new Calls(transport, tokens, signal);
    const keeper = new Keeper(this.storage, clock, onFault);
    const cursor = new Cursor(keeper);
    const threads = new Threads({
      userId,
      events,
      keeper,
      logEpoch: () => this.history.logEpoch,
      onMissing: (state) => this.puller.want(state),
      onPulled: (state) => this.positions.pulled(state),
    });
    this.calls = calls;
    this.writes = new WriteCalls({ calls, clock, random, signal });
    this.#keeper = keeper;
    this.cursor = cursor;
    this.threads = threads;
    this.history = new History({
      ...{ calls, threads, keeper, clock, random, digest: this.digest },
      onProved: (threadId, from) => this.#proved(threadId, from),
      onDropped: (state, isThere) => this.#dropped(state, isThere),
      onOtherDeployment: () => this.#madeAnew(),
    });
    this.puller = new Puller({ calls, threads, events, clock, random, catchUp });
    this.positions = new Positions(threads, clock, this.history);
    this.#rows = new RowFetcher(calls, threads, clock, random);
    this.sends = new Sends(threads, events);
    this.receipts = new ReceiptReader(calls, threads, this.sends);
    this.unread = new UnreadReader(calls, threads);
    this.outbox = new Outbox({
      storage: this.storage,
      clock,
      baseSeq: (threadId) => threads.get(threadId)?.log.highest ?? 0,
      logEpoch: (threadId) => threads.get(threadId)?.logEpoch ?? this.history.logEpoch,
      peer: (threadId) => threads.get(threadId)?.peer(userId),
      onChange: (item, place, was) => this.#sendChanged(item, place, was),
      onFault,
    });
    this.pump = new OutboxPump({ outbox: this.outbox, calls, clock, random, history: this.history });
    const onLogEpoch = (logEpoch: number) => this.history.told(logEpoch);
    this.profiles = new Profiles({ calls, events, clock });
    const onSynced = () => {
      this.positions.synced();
      this.profiles.refresh();
    };
    this.sync = new Sync({ calls, threads, cursor, onLogEpoch, onSynced, clock, random });
    this.presences = new Presences({ calls, threads, events, clock, random });
    this.typing = new Typing({ userId, events, clock, isThread: (threadId) => this.#canWrite(threadId) });
    this.connection = this.#newConnection(tokens, random, this.#newIncoming());
  }

  /** Aborts when the client is closed. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Loads what an earlier run kept, and begins to connect. Rejects as loading does, or as the signal does. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const kept = await unlessAborted(this.storage.load(), signal);
    this.cursor.load(kept);
    this.threads.load(kept);
    this.history.load(kept);
    this.outbox.load(kept);
    for (const item of this.outbox.items()) this.sends.follow(item);
    for (const state of this.threads.all()) if (state.log.missing()) this.puller.want(state);
    this.#run = this.connection.run();
  }

  /**
   * Ends every part, in order, and writes what is to be kept. Rejects as storage or transport do; both are closed then
   * too.
   */
  async close(): Promise<void> {
    this.positions.flush(); // While there is a session: what was read last is still told.
    this.pump.close();
    this.puller.setOpen(false);
    this.sync.setOpen(false);
    this.history.setOpen(false);
    this.connection.close();
    this.#end.abort(signedOut("closed"));
    await this.#run;
    this.sends.close();
    this.events.close();
    await this.#keeper.close();
    try {
      this.options.transport.close();
    } finally {
      await this.storage.close();
    }
  }

  /** As Client.settled. Never rejects. */
  async settled(): Promise<void> {
    await this.history.compared();
    await this.#rows.fetched();
    const newest = this.threads.list().slice(0, PREVIEWS);
    await this.puller.previews(newest.map(({ threadId }) => this.threads.ensure(threadId)));
  }

  #newIncoming(): Incoming {
    return new Incoming({
      userId: this.options.userId,
      threads: this.threads,
      rows: this.#rows,
      pump: this.pump,
      positions: this.positions,
      sends: this.sends,
      sync: this.sync,
      presences: this.presences,
      typing: this.typing,
      cursor: this.cursor,
      onCaughtUp: (wasFirst) => this.#caughtUp(wasFirst),
    });
  }

  #newConnection(tokens: Tokens, random: () => number, incoming: Incoming): Connection {
    const { userId, deviceId, transport } = this.options;
    return new Connection({
      userId,
      deviceId,
      transport,
      tokens,
      random,
      calls: this.calls,
      clock: this.clock,
      cursor: () => this.cursor.bytes,
      dropCursor: () => this.cursor.drop(),
      onState: (state) => this.#stateChanged(state),
      onEvent: (event) => incoming.takeEvent(event),
      onAcked: () => this.positions.acked(),
      onOpened: (session, opened) => this.#opened(session, opened),
      onEnded: (session) => this.pump.sessionEnded(session),
    });
  }

  /** First which history the server has: what is sent and reported from here on is of it. */
  #opened(session: Session, { deploymentId, logEpoch }: Opened): void {
    this.history.opened(deploymentId, Number(logEpoch));
    this.history.setOpen(true);
    for (const state of this.threads.all()) if (state.isDropped) this.#rows.want(state);
    this.pump.setSession(session);
    this.positions.setSession(session);
    this.presences.opened(session);
    this.typing.setSession(session);
    this.puller.setOpen(true);
  }

  /** Draining is connected: all goes on there until the next session has been opened. */
  #stateChanged(state: ConnectionState): void {
    const isConnected = state.phase === "live" || state.phase === "draining";
    this.sync.setOpen(isConnected);
    if (!isConnected && state.phase !== "backfilling") this.#lost();
    this.events.emit({ type: "state", state });
  }

  /** There is no session, or none of use yet. */
  #lost(): void {
    this.puller.setOpen(false);
    this.history.setOpen(false);
    this.presences.lost();
    this.profiles.lost();
    this.typing.setSession(undefined);
  }

  /** All that was missed has been told. `wasFirst`: this device had no cursor, so it holds nothing to show in its list. */
  #caughtUp(wasFirst: boolean): void {
    this.events.emit({ type: "caught_up" });
    const newest = wasFirst ? this.threads.list().slice(0, PREVIEWS) : [];
    for (const { threadId, last } of newest) if (!last) this.puller.preview(this.threads.ensure(threadId));
    this.receipts.refreshWatched();
    void this.unread.refresh();
    this.presences.caughtUp();
    this.profiles.refresh();
  }

  /** A send changed. Once it is sent its entry belongs to the thread, in its place. */
  #sendChanged(item: OutboxItem, place: Place | undefined, was: string | undefined): void {
    if (place) {
      this.threads.takeOwn(item, place);
      this.#rows.want(this.threads.ensure(place.threadId));
    }
    this.sends.update(item, was);
    if (place) this.sends.advance(place.threadId);
  }

  /** Whether the server would tell others that this user writes there. */
  #canWrite(threadId: string): boolean {
    const state = this.threads.get(threadId);
    if (!state || state.hasLeft || state.row?.group?.isLarge) return false;
    return state.log.head.seq > 0;
  }

  /** The server's log is what is held of a thread from `from` on: what waited for that goes. */
  #proved(threadId: string, from: number): void {
    this.pump.proved(threadId, from);
    this.positions.proved();
  }

  /** What is held of a thread was dropped; its row says where to begin again. */
  #dropped(state: ThreadState, isThere: boolean): void {
    if (this.#saidOfEpoch !== this.history.logEpoch) {
      this.#saidOfEpoch = this.history.logEpoch;
      this.events.emit({ type: "put_back", text: PUT_BACK });
      this.threads.forgetReceipts();
    }
    if (isThere) {
      this.#rows.want(state);
      this.puller.preview(state);
    } else if (!state.peer(this.options.userId)) this.pump.failAll(groupIsGone(), state.threadId);
    this.pump.pump();
    this.receipts.refreshWatched();
  }

  /** The server's data is another: nothing of what is held means anything there, and no send was made to it. */
  #madeAnew(): void {
    this.pump.failAll(madeAnew());
    this.cursor.drop();
    this.threads.dropAll();
    this.events.emit({ type: "put_back", text: MADE_ANEW });
  }

  /** Something went wrong that no call can tell of. */
  #trouble(fault: unknown): void {
    this.events.emit({ type: "trouble", error: asError(fault) });
  }
}

/** What sends to a group fail with that the server, put back, has not. */
function groupIsGone(): HeddleError {
  const text = "the server was put back to a state without this group";
  return new HeddleError(Code.NOT_FOUND, ErrorReason.THREAD_NOT_FOUND, text);
}

/** What sends fail with that were made for other data. */
function madeAnew(): HeddleError {
  const text = "this was written for other data than the server has now";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.OTHER_LOG_EPOCH, text);
}

/** What calls of a client that is over reject with. */
export function signedOut(kind: string): HeddleError {
  return new HeddleError(Code.CANCELLED, ErrorReason.UNSPECIFIED, `signed out: ${kind}`);
}
