import type { Client, ClientEvent, Presence, Thread } from "../../../client/index.ts";
import { presenceNotice, threadLine, typingNotice } from "../lines/looks.ts";
import { type NameOf, namesOf } from "../text/display-name.ts";
import type { Screen, ScreenLine } from "./screen.ts";

/** How often "last seen 5 min ago" is counted anew. */
const TICK_MS = 30_000;

/** A row of the list, which changes in its place. */
interface Row {
  readonly peer: string;
  readonly line: ScreenLine;
  readonly text: (presence: Presence | undefined) => string;
}

/**
 * Who is there and who writes, of those on the screen: the rows of the list, or the one conversation, whose line stands
 * above the input. Only they are watched. Without a terminal nothing can change in its place, and nothing is shown.
 */
export class PeopleOnScreen {
  readonly #client: Client;
  readonly #screen: Screen;
  readonly #nameOf: NameOf;
  readonly #tick: ReturnType<typeof setInterval>;
  #rows: readonly Row[] = [];
  #open: { readonly peer: string | undefined; readonly threadId: string } | undefined;

  constructor(client: Client, screen: Screen) {
    this.#client = client;
    this.#screen = screen;
    this.#nameOf = namesOf(client);
    this.#tick = setInterval(() => this.#show(), TICK_MS).unref();
  }

  /** The list is on the screen: prints its rows. */
  list(threads: readonly Thread[], nameWidth: number): void {
    this.#open = undefined;
    this.#rows = threads.flatMap((thread, at) => {
      const { userId } = this.#client;
      const text = (presence: Presence | undefined) =>
        threadLine(thread, at + 1, userId, nameWidth, this.#screen.isTerminal && { presence }, this.#nameOf);
      const line = this.#screen.print(text(this.#client.presence(thread.peer ?? "")));
      return thread.peer === undefined ? [] : [{ peer: thread.peer, line, text }];
    });
    this.#watch(this.#rows.map(({ peer }) => peer));
  }

  /** A conversation is on the screen. */
  conversation(peer: string | undefined, threadId: string): void {
    this.#rows = [];
    this.#open = { peer, threadId };
    this.#watch(peer === undefined ? [] : [peer]);
  }

  /** Something happened: shows it, if it is about people on the screen. */
  takeEvent(event: ClientEvent): void {
    if (event.type === "profile") this.#show();
    else if (event.type === "presence") this.#show(event.userId);
    else if (event.type === "typing" && event.threadId === this.#open?.threadId) this.#show();
  }

  /** A key was pressed, and the line is this: a message that begins, or a command. */
  typed(line: string): void {
    if (this.#open && line.trim() !== "" && !line.startsWith("/")) this.#client.typing(this.#open.threadId);
  }

  close(): void {
    clearInterval(this.#tick);
  }

  #watch(userIds: readonly string[]): void {
    if (this.#screen.isTerminal) this.#client.watch(userIds);
    this.#show();
  }

  /** Of one user only, if one is given. */
  #show(userId?: string): void {
    for (const { peer, line, text } of this.#rows) {
      if (userId === undefined || peer === userId) line.replace(text(this.#client.presence(peer)));
    }
    if (userId !== undefined && userId !== this.#open?.peer) return;
    this.#screen.status(this.#open ? this.#status(this.#open.peer, this.#open.threadId) : "");
  }

  #status(peer: string | undefined, threadId: string): string {
    if (peer === undefined)
      return typingNotice(this.#client.typists(threadId).map((id) => this.#nameOf(id) ?? id));
    return presenceNotice(
      this.#nameOf(peer) ?? peer,
      this.#client.presence(peer),
      this.#client.typists(threadId).length > 0,
    );
  }
}
