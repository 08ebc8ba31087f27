import { type ReadonlySignal, signal } from "@preact/signals";
import type { Client, Entry, Conversation as HeldConversation, Thread } from "../../../client/index.ts";
import type { About, Conversation, Line } from "../model.ts";
import { entryLine, gapBefore, isShown, itemLine } from "./lines.ts";
import { shownText } from "./shown-text.ts";

/** Lines shown at first, and how many more each page of history brings. */
const PAGE = 50;
/** Lines shown above the first new one. */
const CONTEXT = 5;
/** The longest page of history that the server gives. */
const MOST_OLDER = 200;
/** New lines beyond it come as one scrolls up. */
const MOST_AT_FIRST = 300;

/**
 * A window on a conversation of the client library, which may hold thousands of entries: the newest lines, and as
 * many more as somebody has scrolled up to.
 */
export class ShownConversation implements Conversation {
  readonly chatId: string;
  readonly headSeqAtOpen: number;
  readonly #client: Client;
  readonly #held: HeldConversation;
  readonly #title = signal("");
  readonly #isCaughtUp: ReadonlySignal<boolean>;
  readonly #about = signal<About>(aboutOf(undefined, false));
  readonly #isLoaded = signal(false);
  readonly #lines = signal<readonly Line[]>([]);
  readonly #hasOlder = signal(false);
  readonly #closed = new AbortController();
  readonly #unsubscribe: () => void;
  /** Where "New messages" stands. It stays while one reads, though the read position moves on. */
  #readSeqAtOpen: number;
  /** Entries above this seq are shown; undefined: the newest PAGE. */
  #aboveSeq: number | undefined;

  /** `isCaughtUp`: whether the server has told of every thread, so that one without a row has none. */
  constructor(client: Client, held: HeldConversation, isCaughtUp: ReadonlySignal<boolean>) {
    this.#client = client;
    this.#isCaughtUp = isCaughtUp;
    this.#held = held;
    this.chatId = held.threadId;
    this.#readSeqAtOpen = held.thread?.readSeq ?? 0;
    this.headSeqAtOpen = held.thread?.head.seq ?? 0;
    const unsubscribe = held.on(() => this.#show());
    // Sentences about members hold names.
    const renamed = client.on(({ type }) => {
      if (type === "profile") this.#show();
    });
    const ignore = isCaughtUp.subscribe(() => this.#show());
    const forget = client.on((event) => {
      if (event.type === "dropped" && event.threadId === this.chatId) this.#begin();
    });
    this.#unsubscribe = () => {
      unsubscribe();
      renamed();
      ignore();
      forget();
    };
    this.#begin();
  }

  /** Shows the newest page: at first, and when what was held has been dropped. */
  #begin(): void {
    this.#aboveSeq = undefined;
    this.#load()
      .catch(() => undefined) // Away or offline: what is held is shown, and the banner says why there is no more.
      .finally(() => {
        this.#isLoaded.value = true;
        this.#show();
      });
  }

  get readSeqAtOpen(): number {
    return this.#readSeqAtOpen;
  }

  get title(): ReadonlySignal<string> {
    return this.#title;
  }

  get about(): ReadonlySignal<About> {
    return this.#about;
  }

  get isLoaded(): ReadonlySignal<boolean> {
    return this.#isLoaded;
  }

  get lines(): ReadonlySignal<readonly Line[]> {
    return this.#lines;
  }

  get hasOlder(): ReadonlySignal<boolean> {
    return this.#hasOlder;
  }

  /** Shows a page more: of what is held, and fetched first where nothing more is held. */
  async loadOlder(): Promise<void> {
    const first = this.#firstShown();
    if (first === 0) await this.#held.older(PAGE, this.#closed.signal);
    this.#showFrom(Math.max(0, this.#firstShown() - PAGE));
  }

  async send(text: string): Promise<void> {
    await this.#held.send(text);
  }

  typing(): void {
    this.#client.typing(this.chatId);
  }

  async retry(line: Line): Promise<void> {
    await this.#client.retry(line.key);
  }

  async discard(line: Line): Promise<void> {
    await this.#client.discard(line.key);
  }

  markRead(seq: number): void {
    this.#held.markRead(seq);
  }

  /** Back to the newest page, if more than two are shown: with thousands of lines the page gets slow. */
  trim(): void {
    if (this.#aboveSeq === undefined || this.#lines.value.length <= 2 * PAGE) return;
    this.#showFrom(Math.max(0, this.#held.entries.length - PAGE));
  }

  close(): void {
    this.#unsubscribe();
    this.#closed.abort();
  }

  /** The newest page, and back to where the person stopped reading, if that is not too far. */
  async #load(): Promise<void> {
    const { signal } = this.#closed;
    await this.#held.open(signal);
    // The row that the list came from may lag behind by a minute; the receipts, which are here now, do not.
    this.#readSeqAtOpen = this.#held.thread?.readSeq ?? this.#readSeqAtOpen;
    if (this.headSeqAtOpen <= this.#readSeqAtOpen) return;
    const missing = (this.#held.entries[0]?.seq ?? 0) - 1 - this.#contextAboveSeq;
    // Where that is more than a page of the server's, the gap begins further down, and scrolling fills it.
    if (missing > 0 && this.#held.hasOlder) await this.#held.older(Math.min(missing, MOST_OLDER), signal);
  }

  /** Lines above this seq are wanted at first: those that are new, and a few before them. */
  get #contextAboveSeq(): number {
    return Math.max(0, this.#readSeqAtOpen - CONTEXT);
  }

  /** The index of the first entry shown. */
  #firstShown(): number {
    const { entries } = this.#held;
    if (this.#aboveSeq !== undefined) return indexAbove(entries, this.#aboveSeq);
    const newest = Math.max(0, entries.length - PAGE);
    const hasNew = this.headSeqAtOpen > this.#readSeqAtOpen;
    if (!hasNew) return newest;
    return Math.max(
      0,
      entries.length - MOST_AT_FIRST,
      Math.min(newest, indexAbove(entries, this.#contextAboveSeq)),
    );
  }

  /** Begins the window at an entry that is held. */
  #showFrom(index: number): void {
    this.#aboveSeq = (this.#held.entries[index]?.seq ?? 1) - 1;
    this.#show();
  }

  #show(): void {
    const { entries, pending, hasOlder, peer, thread, lost } = this.#held;
    const { userId } = this.#client;
    const first = this.#firstShown();
    if (this.#isLoaded.value && this.#aboveSeq === undefined && entries.length > 0) {
      // From now on the window begins at this entry: new messages do not push old ones off the screen.
      this.#aboveSeq = (entries[first]?.seq ?? 1) - 1;
    }
    const nameOf = (id: string) => this.#client.profile(id)?.displayName ?? id;
    const lineOf = (entry: Entry, at: number) =>
      entryLine(
        entry,
        userId,
        this.#held.stateOf(entry),
        nameOf,
        gapBefore(entry, entries[at - 1], userId, lost),
      );
    const lines = [
      ...entries.flatMap((entry, at) => (at >= first && isShown(entry) ? lineOf(entry, at) : [])),
      ...pending.map((item) => itemLine(item, userId)),
    ];
    this.#title.value = peer ?? shownText(thread?.name ?? "");
    const about = aboutOf(thread, peer !== undefined && this.#isCaughtUp.value);
    // The same content is no change: what depends on it would be drawn anew with each message.
    if (JSON.stringify(about) !== JSON.stringify(this.#about.value)) this.#about.value = about;
    this.#hasOlder.value = first > 0 || hasOlder;
    this.#lines.value = this.#keepSame(lines);
  }

  /** Lines that have not changed stay the same objects, so that the page draws only the others anew. */
  #keepSame(lines: readonly Line[]): readonly Line[] {
    const before = new Map(this.#lines.value.map((line) => [line.key, line]));
    return lines.map((line) => {
      const old = before.get(line.key);
      return old && isSame(old, line) ? old : line;
    });
  }
}

/** `isNew`: with a user, and the server has none of it. */
function aboutOf(thread: Thread | undefined, isNew: boolean): About {
  const { memberCount = 0, role, hasLeft = false, isBlocked = false, isDamaged = false } = thread ?? {};
  const isKnown = thread !== undefined || isNew;
  return { isKnown, isGroup: thread?.kind === "group", memberCount, role, hasLeft, isBlocked, isDamaged };
}

/** Where entries above a seq begin; their number where none does. */
function indexAbove(entries: readonly Entry[], seq: number): number {
  const at = entries.findIndex((entry) => entry.seq > seq);
  return at < 0 ? entries.length : at;
}

/** A text of somebody goes with the key; what became of a group is told with names, which change. */
function isSame(a: Line, b: Line): boolean {
  return (
    a.text === b.text &&
    a.seq === b.seq &&
    a.tick === b.tick &&
    a.failure === b.failure &&
    a.gap === b.gap &&
    a.createdAtMs === b.createdAtMs
  );
}
