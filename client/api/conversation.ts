import { ErrorReason } from "../../internal/base/heddle-error.ts";
import type { Positions } from "../log/positions.ts";
import type { Puller } from "../log/puller.ts";
import type { ReceiptReader } from "../log/receipt-reader.ts";
import type { ThreadState } from "../log/thread-state.ts";
import type { Threads } from "../log/threads.ts";
import type { Events } from "../model/events.ts";
import type { ClientEvent, Entry, Lost, OutboxItem, Receipt, SendState, Thread } from "../model/model.ts";
import type { Send } from "../outbox/send.ts";
import { unlessAborted } from "../stream/unless-aborted.ts";
import { asError } from "../transport/wire.ts";
import type { Conversation, Target } from "./client.ts";

/** Entries of a page of history, if the application names no size. */
const PAGE = 50;

/**
 * How many of the newest entries are searched for a send that still waits: its entry may come by the stream before its
 * outcome does, and stands near the end then. One further up is shown twice until the outcome comes.
 */
const SEARCHED = 200;

/** What a conversation looks at, and what it asks for. It holds no facts of its own. */
export interface ConversationDeps {
  readonly userId: string;
  readonly threads: Threads;
  readonly puller: Puller;
  readonly positions: Positions;
  readonly receipts: ReceiptReader;
  readonly events: Events;
  /** Compares a thread with the server's log, if that is due and can be had now; else as soon as it can. */
  readonly compared: (threadId: string) => Promise<void>;
  readonly outbox: () => readonly OutboxItem[];
  /** Resolves when this device knows which threads there are, or cannot know for now. */
  readonly known: (signal?: AbortSignal) => Promise<void>;
  readonly send: (target: Target, text: string) => Promise<Send>;
}

/** A thread as a person looks at it: a view on ThreadState and outbox, which hold the facts. */
export class ThreadConversation implements Conversation {
  readonly threadId: string;
  readonly #deps: ConversationDeps;
  readonly #state: ThreadState;
  readonly #to: string | undefined;
  /** The list as it was made, until an event may have changed it: a screen reads it at every turn. */
  #entries: readonly Entry[] | undefined;

  /** `to`: the other user, where the thread may not exist yet. */
  constructor(deps: ConversationDeps, state: ThreadState, to: string | undefined) {
    this.threadId = state.threadId;
    this.#deps = deps;
    this.#state = state;
    this.#to = to;
    deps.events.on((event) => {
      if (concerns(event, this.threadId)) this.#entries = undefined;
    });
  }

  get peer(): string | undefined {
    return this.#to ?? this.#state.peer(this.#deps.userId);
  }

  get thread(): Thread | undefined {
    return this.#state.row && this.#state.view(this.#deps.userId);
  }

  get entries(): readonly Entry[] {
    this.#entries ??= this.#state.log.newest();
    return this.#entries;
  }

  get pending(): readonly OutboxItem[] {
    const held = new Set(this.entries.slice(-SEARCHED).map((entry) => entry.clientId));
    const own = this.#deps.outbox().filter((item) => item.threadId === this.threadId);
    return own.filter((item) => !held.has(item.clientId));
  }

  get hasOlder(): boolean {
    // Of a member who came later the thread begins at `firstSeq`.
    const { log, firstSeq } = this.#state;
    return (log.wholeFrom ?? log.head.seq + 1) > firstSeq;
  }

  get lost(): readonly Lost[] {
    return this.#state.log.lost;
  }

  get receipts(): readonly Receipt[] {
    return [...this.#state.receipts.values()];
  }

  stateOf(entry: Entry): SendState | undefined {
    return entry.sender === this.#deps.userId ? this.#state.reached(entry.seq) : undefined;
  }

  async open(signal?: AbortSignal): Promise<void> {
    this.#state.log.isOpen = true;
    await unlessAborted(this.#deps.compared(this.threadId), signal);
    // Nothing is known of it: it may be new, or this device has not yet heard which threads there are.
    const isBare = () => this.#state.log.head.seq === 0 && !this.#state.isDropped;
    if (isBare()) await this.#deps.known(signal);
    if (isBare()) return;
    const isHeld =
      this.entries.at(-1)?.seq === this.#state.log.head.seq &&
      (this.entries.length >= PAGE || !this.hasOlder);
    const page = isHeld ? undefined : this.#deps.puller.page(this.#state, undefined, PAGE, signal);
    try {
      await Promise.all([page, this.#deps.receipts.refresh(this.threadId, signal)]);
    } catch (thrown) {
      // A server that has lost a direct thread has no messages in it; the next send makes it again.
      const isLost = this.#state.isDropped && this.peer !== undefined;
      if (!isLost || asError(thrown).reason !== ErrorReason.THREAD_NOT_FOUND) throw thrown;
    } finally {
      this.#entries = undefined;
    }
  }

  async older(count = PAGE, signal?: AbortSignal): Promise<readonly Entry[]> {
    this.#state.log.isOpen = true;
    const lowest = this.#state.log.wholeFrom;
    if (lowest !== undefined && !this.hasOlder) return [];
    await this.#deps.puller.page(this.#state, lowest, count, signal);
    this.#entries = undefined;
    if (lowest === undefined) return this.entries;
    return this.entries.filter((entry) => entry.seq < lowest);
  }

  send(text: string): Promise<Send> {
    return this.#deps.send(this.#to ? { to: this.#to } : { threadId: this.threadId }, text);
  }

  markRead(seq = this.#state.log.highest): void {
    this.#deps.positions.markRead(this.#state, seq);
  }

  on(listener: () => void): () => void {
    let isDue = false;
    let isStopped = false;
    const stop = this.#deps.events.on((event) => {
      if (isDue || !concerns(event, this.threadId)) return;
      isDue = true;
      queueMicrotask(() => {
        isDue = false;
        if (!isStopped) listener();
      });
    });
    return () => {
      isStopped = true;
      stop();
    };
  }

  close(): void {
    this.#state.log.isOpen = false;
  }
}

/** Whether an event may change what a conversation of this thread shows. */
function concerns(event: ClientEvent, threadId: string): boolean {
  switch (event.type) {
    case "entry":
      return event.entry.threadId === threadId;
    case "thread_changed":
      return event.thread.threadId === threadId;
    case "receipt":
      return event.receipt.threadId === threadId;
    case "outbox":
      return event.item.threadId === threadId;
    case "behind":
    case "dropped":
      return event.threadId === threadId;
    default:
      return false;
  }
}
