import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type {
  Blocks,
  Client,
  ConnectionState,
  Entry,
  Groups,
  OutboxItem,
  SendState,
  Thread,
} from "../../../client/index.ts";
import type { BrowserMemory } from "../memory/browser-memory.ts";
import type { Chat, Connection, Conversation, Devices, Keeping, Line, Model } from "../model.ts";
import { ShownConversation } from "./conversation-model.ts";
import { entryLine, isShown, itemLine } from "./lines.ts";
import { SeenPeople } from "./people.ts";
import { shownText } from "./shown-text.ts";

/**
 * The client library as the page's model: its events become signals, at most one change a microtask. It keeps nothing
 * of its own that the client has too: every list is made anew from it.
 */
export class ChatModel implements Model {
  readonly userId: string;
  readonly people: SeenPeople;
  readonly groups: Groups;
  readonly blocks: Blocks;
  readonly devices: Devices;
  readonly keeping: ReadonlySignal<Keeping>;
  readonly putBack = signal("");
  readonly #client: Client;
  readonly #window: Window;
  /** What the browser says of its network. */
  readonly #isOnline: Signal<boolean>;
  /** What the client says of its session; the two together make what is shown. */
  readonly #session: Signal<Connection>;
  readonly #connection: ReadonlySignal<Connection>;
  readonly #chats = signal<readonly Chat[]>([]);
  readonly #isListed = signal(false);
  /** The server has told of every thread: one that is not listed then does not exist. */
  readonly #isCaughtUp = signal(false);
  readonly #listeners = new Set<(line: Line, chatId: string) => void>();
  /** Whether it was online before: then it connects "again". */
  #wasLive = false;
  /** A new list is due in this microtask. */
  #isStale = false;

  constructor(client: Client, { window, keeping }: BrowserMemory) {
    this.#client = client;
    this.#window = window;
    this.keeping = keeping;
    this.userId = client.userId;
    this.groups = client.groups;
    this.blocks = client.blocks;
    this.devices = {
      ownId: client.deviceId,
      list: () => client.devices(),
      revoke: (deviceId) => this.#revoke(deviceId),
    };
    this.#isOnline = signal(window.navigator.onLine);
    this.#session = signal(this.#connectionOf(client.state));
    this.#connection = computed(() => this.#shownConnection());
    this.people = new SeenPeople(client, window.document, this.#connection);
    // What this browser has kept is shown before the server has said a word.
    this.#list();
    this.#followBrowser(true);
    client.on((event) => {
      // Often, and no part of the list: SeenPeople draws them.
      if (event.type === "presence" || event.type === "typing") return;
      if (event.type === "state") this.#session.value = this.#connectionOf(event.state);
      if (event.type === "caught_up") this.#isListed.value = this.#isCaughtUp.value = true;
      if (event.type === "put_back") this.putBack.value = event.text;
      if (event.type === "entry") this.#arrived(event.entry);
      this.#listSoon();
    });
  }

  get connection(): ReadonlySignal<Connection> {
    return this.#connection;
  }

  get chats(): ReadonlySignal<readonly Chat[]> {
    return this.#chats;
  }

  get isListed(): ReadonlySignal<boolean> {
    return this.#isListed;
  }

  open(chatId: string): Conversation {
    return new ShownConversation(this.#client, this.#client.conversation(chatId), this.#isCaughtUp);
  }

  async idOf(userId: string): Promise<string> {
    return (await this.#client.direct(userId)).threadId;
  }

  async setMuted(chatId: string, isMuted: boolean): Promise<void> {
    await this.#client.setMuted(chatId, isMuted);
  }

  onArrival(listener: (line: Line, chatId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reconnect(): void {
    this.#client.foreground();
  }

  async close(): Promise<void> {
    this.#followBrowser(false);
    this.people.close();
    await this.#client.close();
  }

  /** A browser that knows itself to be offline is believed at once: the stream's end shows only at the next ping. */
  #shownConnection(): Connection {
    const session = this.#session.value;
    if (this.#isOnline.value || session.phase === "ended" || session.phase === "offline") return session;
    return { phase: "offline", retryAtMs: undefined };
  }

  /** Begins or ends to listen to the browser. */
  #followBrowser(isFollowed: boolean): void {
    const change = isFollowed ? "addEventListener" : "removeEventListener";
    this.#window[change]("online", this.#browserChanged);
    this.#window[change]("offline", this.#browserChanged);
    this.#window.document[change]("visibilitychange", this.#browserChanged);
  }

  /** Back online, or back in front: compare with the server now. */
  readonly #browserChanged = () => {
    this.#isOnline.value = this.#window.navigator.onLine;
    if (this.#isOnline.value && this.#window.document.visibilityState === "visible")
      this.#client.foreground();
  };

  #connectionOf(state: ConnectionState): Connection {
    if (state.phase === "live" || state.phase === "draining") {
      this.#wasLive = true;
      return { phase: "online" };
    }
    if (state.phase === "offline") return { phase: "offline", retryAtMs: state.retryAtMs };
    if (state.phase !== "signed-out") return { phase: this.#wasLive ? "reconnecting" : "connecting" };
    // Everything else that ends a session for good is about the sign-in.
    const isRevoked = state.reason?.kind === "device-revoked";
    return { phase: "ended", why: isRevoked ? "revoked" : "expired" };
  }

  /** The stream of a revoked device ends some seconds later: that its session is over is known now. */
  async #revoke(deviceId: string): Promise<void> {
    await this.#client.revokeDevice(deviceId);
    if (deviceId === this.#client.deviceId) this.#session.value = { phase: "ended", why: "revoked" };
  }

  /** Tells of a message that came just now, for listeners. Own ones from other devices are no news. */
  #arrived(entry: Entry): void {
    if (entry.sender === this.userId || !isShown(entry)) return;
    const line = entryLine(entry, this.userId, undefined);
    for (const listener of this.#listeners) listener(line, entry.threadId);
  }

  /** Lists anew once, however many events come together: a backfill brings thousands. */
  #listSoon(): void {
    if (this.#isStale) return;
    this.#isStale = true;
    queueMicrotask(() => {
      this.#isStale = false;
      this.#list();
    });
  }

  /** The client's threads, and before them those that have nothing but what waits in the outbox. */
  #list(): void {
    const waiting = new Map<string, OutboxItem>();
    for (const item of this.#client.outbox()) waiting.set(item.threadId, item);
    const threads = this.#client.threads();
    const chats = threads.map((thread) => this.#chatOf(thread, waiting.get(thread.threadId)));
    const known = new Set(threads.map((thread) => thread.threadId));
    for (const item of waiting.values()) if (!known.has(item.threadId)) chats.push(this.#newChat(item));
    chats.sort((a, b) => b.updatedAtMs - a.updatedAtMs);
    this.#chats.value = chats;
    if (chats.length > 0) this.#isListed.value = true;
  }

  #chatOf(thread: Thread, waiting: OutboxItem | undefined): Chat {
    const committed = thread.last && isShown(thread.last) ? this.#lineOf(thread.last) : undefined;
    return {
      id: thread.threadId,
      title: thread.peer ?? shownText(thread.name ?? "Group"),
      isDirect: thread.peer !== undefined,
      isBlocked: thread.isBlocked,
      isDamaged: thread.isDamaged,
      last: waiting ? itemLine(waiting, this.userId) : committed,
      // A message that waits moves its chat up at once, by this machine's clock.
      updatedAtMs: Math.max(thread.updatedAtMs, waiting?.composedAtMs ?? 0),
      unread: thread.unread,
      isMuted: thread.isMuted,
    };
  }

  /** A row for a chat that exists nowhere but in the outbox. */
  #newChat(item: OutboxItem): Chat {
    const peer = item.to ?? this.#client.conversation(item.threadId).peer;
    return {
      id: item.threadId,
      title: peer ?? "Group",
      isDirect: peer !== undefined,
      isBlocked: false,
      isDamaged: false,
      last: itemLine(item, this.userId),
      updatedAtMs: item.composedAtMs,
      unread: 0,
      isMuted: false,
    };
  }

  /** The preview of a row, with names instead of ids where they are known. */
  #lineOf(entry: Entry): Line {
    const isOwn = entry.sender === this.userId;
    const state: SendState | undefined = isOwn
      ? this.#client.conversation(entry.threadId).stateOf(entry)
      : undefined;
    return entryLine(entry, this.userId, state, (id) => this.#client.profile(id)?.displayName ?? id);
  }
}
