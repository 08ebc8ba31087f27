import {
  type Client,
  type ClientEvent,
  type Conversation,
  type Entry,
  isAbsence,
  lostBefore,
  type OutboxItem,
  type Send,
} from "../../../client/index.ts";
import {
  ABSENCE,
  DAMAGED,
  dayLine,
  entryLine,
  type Layout,
  layoutOf,
  lostLine,
  notice,
  pendingLine,
} from "../lines/looks.ts";
import { titleOf } from "../lines/target.ts";
import { learnNames, namesOf, usersIn } from "../text/display-name.ts";
import type { Screen, ScreenLine } from "./screen.ts";

/** Entries shown when a conversation is opened, and added by /older. */
const SHOWN = 20;
/** Own messages whose ticks still change: as many lines as a screen remembers. */
const OWN_LINES = 200;

/** An own message on the screen, whose tick changes. */
interface OwnLine {
  readonly line: ScreenLine;
  /** Undefined until it is in the log. */
  entry: Entry | undefined;
}

/** One conversation on the screen. Whatever is shown counts as read. */
export class ConversationView {
  readonly #client: Client;
  readonly #conversation: Conversation;
  readonly #screen: Screen;
  /** By client_id. */
  readonly #own = new Map<string, OwnLine>();
  #day = "";
  /** The entry that was shown last. */
  #last: Entry | undefined;
  /** The lowest seq shown. */
  #from = Number.MAX_SAFE_INTEGER;

  constructor(client: Client, conversation: Conversation, screen: Screen) {
    this.#client = client;
    this.#conversation = conversation;
    this.#screen = screen;
  }

  get conversation(): Conversation {
    return this.#conversation;
  }

  get threadId(): string {
    return this.#conversation.threadId;
  }

  get name(): string {
    const { peer, thread, threadId } = this.#conversation;
    if (peer !== undefined)
      return namesOf(this.#client)(peer) ?? titleOf({ peer, name: undefined, threadId });
    return titleOf({ peer, name: thread?.name, threadId });
  }

  get #layout(): Layout {
    const nameOf = namesOf(this.#client);
    const { nameWidth } = layoutOf(this.#client.userId, this.#conversation.entries.slice(-SHOWN), nameOf);
    return { nameWidth, columns: this.#screen.columns, nameOf };
  }

  /** Shows the newest entries, fetched if the server is there. */
  async show(): Promise<void> {
    await this.#conversation.open().catch(() => {}); // What is held is shown; the notice of the connection is up already.
    const entries = this.#conversation.entries.slice(-SHOWN);
    const { peer } = this.#conversation;
    if (this.#client.state.phase !== "offline") {
      await learnNames(this.#client, [...usersIn(entries), ...(peer === undefined ? [] : [peer])]);
    }
    if (entries.length === 0) this.#screen.print(notice(`no messages with ${this.name} yet`));
    else if (this.#conversation.hasOlder || entries[0] !== this.#conversation.entries[0]) {
      this.#screen.print(notice("/older shows more"));
    }
    for (const entry of entries) this.#showEntry(entry);
    for (const item of this.#conversation.pending) this.#showPending(item);
    const { isBlocked = false, hasLeft = false, isDamaged = false } = this.#conversation.thread ?? {};
    if (isBlocked) this.#screen.print(notice(`you have blocked ${this.name}; /unblock takes it back`));
    if (isDamaged) this.#screen.print(DAMAGED);
    if (hasLeft) this.#screen.print(notice("you are no member of this group any more"));
    this.#conversation.markRead();
  }

  /** Shows older entries below what stands there: a terminal's past cannot be written. */
  async older(): Promise<void> {
    const held = () => this.#conversation.entries.filter((entry) => entry.seq < this.#from);
    if (held().length < SHOWN) await this.#conversation.older(SHOWN);
    const entries = held().slice(-SHOWN);
    if (entries.length === 0) {
      this.#screen.print(notice("this is the beginning"));
      return;
    }
    const last = this.#last;
    this.#screen.print(notice("earlier:"));
    this.#day = "";
    this.#last = undefined;
    for (const entry of entries) this.#showEntry(entry);
    this.#day = "";
    this.#last = last;
    this.#screen.print(notice("now:"));
  }

  /** Takes an event of this conversation's thread. */
  takeEvent(event: ClientEvent): void {
    if (event.type === "entry") {
      this.#showEntry(event.entry);
      this.#conversation.markRead();
    } else if (event.type === "outbox") this.#showPending(event.item);
    else if (event.type === "receipt") this.#tick();
  }

  /** Sends what was typed. */
  send(text: string): Promise<Send> {
    return this.#conversation.send(text);
  }

  /** Sends the newest failed message again, or forgets it. */
  async mend(how: "retry" | "discard"): Promise<void> {
    const failed = this.#client
      .outbox()
      .filter((item) => item.threadId === this.threadId && item.state === "failed");
    const item = failed.at(-1);
    if (!item) this.#screen.print(notice("nothing has failed here"));
    else await this.#client[how](item.clientId);
  }

  close(): void {
    this.#conversation.close();
  }

  #showEntry(entry: Entry): void {
    const own = this.#own.get(entry.clientId);
    const text = this.#textOf(entry);
    this.#from = Math.min(this.#from, entry.seq);
    if (this.#last && isAbsence(this.#last, entry, this.#client.userId)) this.#screen.print(ABSENCE);
    this.#last = entry;
    const hole = lostBefore(this.#conversation.lost, entry);
    if (hole) this.#screen.print(lostLine(hole));
    // A void: nothing for a person to see, and yet it counts as the lowest seq shown.
    if (text === undefined) return;
    if (own && entry.sender === this.#client.userId) {
      own.entry = entry;
      own.line.replace(text);
      return;
    }
    this.#showDay(entry.createdAtMs);
    const line = this.#screen.print(text);
    if (entry.sender === this.#client.userId) this.#remember(entry.clientId, { line, entry });
  }

  /** Where lines cannot change, an own message is shown once it has its place, or has failed. */
  #showPending(item: OutboxItem): void {
    const own = this.#own.get(item.clientId);
    if (own?.entry) {
      this.#tick();
      return;
    }
    if (item.seq !== undefined) return;
    const text = pendingLine(item, this.#layout);
    if (own) own.line.replace(text);
    else if (this.#screen.isTerminal) {
      this.#showDay(item.composedAtMs);
      this.#remember(item.clientId, { line: this.#screen.print(text), entry: undefined });
    } else if (item.state === "failed") this.#screen.print(text);
  }

  /** Where lines cannot change nothing needs to be remembered, however many a pipe sends. */
  #remember(clientId: string, own: OwnLine): void {
    if (!this.#screen.isTerminal) return;
    this.#own.set(clientId, own);
    const [oldest = ""] = this.#own.keys();
    if (this.#own.size > OWN_LINES) this.#own.delete(oldest);
  }

  #showDay(atMs: number): void {
    const day = new Date(atMs).toDateString();
    if (day !== this.#day) this.#screen.print(dayLine(atMs));
    this.#day = day;
  }

  #textOf(entry: Entry): string | undefined {
    return entryLine(entry, this.#conversation.stateOf(entry), this.#layout, this.#client.userId);
  }

  #tick(): void {
    for (const { line, entry } of this.#own.values()) {
      const text = entry && this.#textOf(entry);
      if (text) line.replace(text);
    }
  }
}
