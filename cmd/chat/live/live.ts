import {
  type Client,
  type ClientEvent,
  type Conversation,
  changeText,
  type Entry,
  HeddleError,
} from "../../../client/index.ts";
import { PipedSends } from "../commands/piped-sends.ts";
import { type OpenClient, untilServerKnown, waitSignal } from "../device/open-client.ts";
import type { Settings } from "../device/settings.ts";
import { ChatError, connectionProblem, EXIT, fateOfKept } from "../exit-code.ts";
import { connectionNotice, notice } from "../lines/looks.ts";
import { conversationOf, titleOf } from "../lines/target.ts";
import { colours as pc } from "../text/colours.ts";
import { namesOf } from "../text/display-name.ts";
import { oneLine } from "../text/safe-text.ts";
import { ConversationView } from "./conversation-view.ts";
import { GROUP_HELP, groupLine } from "./group-lines.ts";
import { PeopleOnScreen } from "./people-on-screen.ts";
import { isTerminal, Screen, type ScreenStreams } from "./screen.ts";

const HELP = [
  "type a message and press Enter",
  "/threads   the list of conversations     /open bob   another conversation",
  "/older     earlier messages              /retry, /discard   the last failed message",
  ...GROUP_HELP,
  "/quit      or Ctrl-D",
];

/**
 * Lines of a pipe that wait to be carried out, beyond which no more of them is read. The reader goes on when half of
 * them are done, so that it does not stop at every line. What a person types is never held back.
 */
const MOST_LINES = 64;

/** The live view: a list of threads to choose from, or a conversation. Resolves to the exit code. */
export async function live(
  { client, notice: started, problems }: OpenClient,
  settings: Settings,
  streams: ScreenStreams,
  to: string | undefined,
): Promise<number> {
  // A pipe is not there to send again what was written for other data than the server has.
  if (!isTerminal(streams)) await untilServerKnown(client, waitSignal(settings));
  const view = new LiveView(client, settings, streams, to);
  if (started) view.say(notice(started));
  if (!isTerminal(streams)) return await view.over;
  const toStderr = problems.showBy((text) => view.say(pc.red(`· ${text}`)));
  return await view.over.finally(toStderr);
}

/**
 * What is on the screen and what is typed, in one place: the list (`#view` undefined) or one conversation. Events may
 * come at any time; lines are carried out one by one.
 */
class LiveView {
  /** Resolves to the exit code when the person leaves, or the client is signed out. */
  readonly over: Promise<number>;
  readonly #client: Client;
  readonly #settings: Settings;
  readonly #screen: Screen;
  readonly #people: PeopleOnScreen;
  #view: ConversationView | undefined;
  #wasLive = false;
  #isAway = false;
  /** Lines are carried out one after the other. */
  #last: Promise<void> = Promise.resolve();
  /** How many are not carried out yet. */
  #lines = 0;
  /** What the lines of a pipe send. */
  readonly #piped: PipedSends;
  /** The first line of a pipe that was not sent for want of room, if one was not. */
  #unsent: string | undefined;
  #leave: (code: number) => void = () => {};

  /** `to`: the user or group whose conversation is opened first. */
  constructor(client: Client, settings: Settings, streams: ScreenStreams, to: string | undefined) {
    this.#client = client;
    this.#settings = settings;
    this.over = new Promise((resolve) => {
      this.#leave = resolve;
    });
    this.#piped = new PipedSends(client, Math.max(1, settings.waitMs));
    const onLine = (line: string) => {
      this.#lines += 1;
      if (!this.#screen.isTerminal && this.#lines === MOST_LINES) this.#screen.pause();
      this.#last = this.#last.then(async () => {
        await this.#line(line);
        // `#line` never rejects: else the lines behind it would never be carried out.
        this.#lines -= 1;
        if (!this.#screen.isTerminal && this.#lines === MOST_LINES / 2) this.#screen.resume();
      });
    };
    const onClose = () => void this.#last.then(() => this.#finish());
    this.#screen = new Screen(streams, onLine, onClose, (line) => this.#people.typed(line));
    this.#people = new PeopleOnScreen(client, this.#screen);
    const unsubscribe = client.on((event) => this.#take(event));
    void this.over.then(() => {
      unsubscribe();
      this.#people.close();
      this.#view?.close();
    });
    this.#prompt();
    if (to === undefined) this.#showThreads();
    else onLine(`/open ${to}`);
  }

  say(text: string): void {
    this.#screen.print(text);
  }

  #showThreads(): void {
    this.#view?.close();
    this.#view = undefined;
    this.#prompt();
    const threads = this.#client.threads();
    const nameOf = namesOf(this.#client);
    const width = Math.max(3, ...threads.map((thread) => titleOf(thread, nameOf).length));
    // As many as fit a screen. Any other can be opened by its name.
    this.#people.list(threads.slice(0, 30), width);
    this.say(
      notice(
        threads.length === 0 ? "no conversations yet; type a name to begin one" : "type a number or a name",
      ),
    );
  }

  /** `name`: a user, or `+name` of a group. */
  async #open(name: string): Promise<void> {
    await this.#show(await conversationOf(this.#client, this.#settings, name));
  }

  async #show(conversation: Conversation): Promise<void> {
    this.#view?.close();
    this.#view = undefined;
    const view = new ConversationView(this.#client, conversation, this.#screen);
    // Events of the thread that come during it are in what `show` prints, and are not shown twice: #view is set after
    // it.
    await view.show();
    this.#view = view;
    this.#people.conversation(conversation.peer, conversation.threadId);
    this.#prompt();
  }

  #prompt(): void {
    this.#screen.prompt(pc.cyan(`${this.#view?.name ?? this.#client.userId}> `));
  }

  /**
   * A line that was typed: a command, a message, or a choice from the list. Problems are printed, and the view goes on.
   */
  async #line(line: string): Promise<void> {
    const [word = "", ...rest] = line.trim().split(/\s+/);
    try {
      if (word === "") return;
      if (word.startsWith("/")) await this.#command(word.slice(1), rest);
      else if (this.#view) await this.#send(this.#view, line);
      else await this.#choose(line.trim());
    } catch (thrown) {
      this.#complain(thrown);
    }
  }

  #complain(thrown: unknown): void {
    const isOurs = thrown instanceof HeddleError || thrown instanceof ChatError;
    this.say(pc.red(`· ${isOurs ? thrown.message : String(thrown)}`));
  }

  /** A person hears of an outbox that is full; a pipe is held back until there is room, or nothing goes for too long. */
  async #send(view: ConversationView, line: string): Promise<void> {
    if (this.#screen.isTerminal) {
      await view.send(line);
      return;
    }
    if (this.#unsent !== undefined) return;
    if (await this.#piped.room())
      this.#piped.add(() => view.send(line)).catch((thrown) => this.#complain(thrown));
    else {
      this.#unsent = line;
      this.#screen.close();
    }
  }

  async #command(word: string, rest: readonly string[]): Promise<void> {
    const done = await groupLine(this.#client, this.#view?.conversation, word, rest);
    if (done?.say) this.say(notice(done.say));
    if (done?.open) await this.#open(done.open);
    if (done) return;
    const [argument] = rest;
    switch (word) {
      case "threads":
      case "back":
        return this.#showThreads();
      case "open":
        if (argument === undefined) return this.say(notice("/open takes a name"));
        return await this.#open(rest.join(" "));
      case "older":
        return await this.#view?.older();
      case "retry":
      case "discard":
        return await this.#view?.mend(word);
      case "quit":
        return this.#screen.close();
      default:
        for (const help of HELP) this.say(notice(help));
    }
  }

  /**
   * A number of the list, or a name. The list may have moved on since it was printed; the number means the row of now.
   */
  async #choose(text: string): Promise<void> {
    const chosen = this.#client.threads()[Number(text) - 1];
    if (chosen) await this.#show(this.#client.conversation(chosen.threadId));
    else await this.#open(text);
  }

  #take(event: ClientEvent): void {
    const threadId = threadOf(event);
    this.#people.takeEvent(event);
    if (event.type === "state") this.#connection();
    else if (event.type === "caught_up" && !this.#view && this.#client.threads().length > 0) this.#showOnce();
    else if (event.type === "put_back") this.say(pc.red(`· ${event.text}`));
    else if (event.type === "trouble") this.say(pc.red(`· ${event.error.message}`));
    else if (this.#view && threadId === this.#view.threadId) this.#view.takeEvent(event);
    else if (event.type === "entry" && event.entry.sender !== this.#client.userId)
      this.#elsewhere(event.entry);
  }

  /** Something was said, or changed, in another conversation. */
  #elsewhere(entry: Entry): void {
    const { body, sender, threadId } = entry;
    const nameOf = namesOf(this.#client);
    const thread = this.#client.conversation(threadId).thread;
    const where = thread?.kind === "group" ? pc.dim(` in ${titleOf(thread)}`) : "";
    if (body.kind === "text") {
      this.say(
        `${pc.dim("·")} ${pc.bold(nameOf(sender) ?? sender)}${where}${pc.dim(":")} ${oneLine(body.text, 60)}`,
      );
    }
    const change = changeText(entry, this.#client.userId, (id) => nameOf(id) ?? id);
    if (change !== undefined) this.say(`${notice(oneLine(change, 90))}${where}`);
  }

  /** The list as the server has it, when it first says so. */
  #showOnce(): void {
    if (this.#wasLive) return;
    queueMicrotask(() => !this.#view && this.#showThreads());
  }

  #connection(): void {
    const { state } = this.#client;
    const text = connectionNotice(state, !this.#isAway, this.#client.userId);
    const isAway = state.phase === "offline";
    if (text && (state.phase !== "offline" || !this.#isAway)) this.say(text);
    if (isAway) this.#isAway = true;
    if (state.phase === "live") {
      this.#isAway = false;
      this.#wasLive = true;
    }
    if (state.phase === "signed-out") this.#leave(state.reason?.kind === "closed" ? EXIT.well : EXIT.failed);
  }

  /** The person, or the end of the input, ends it: what was typed goes out first, if that is soon. */
  async #finish(): Promise<void> {
    const { isTerminal } = this.#screen;
    if (!isTerminal && this.#unsent === undefined) await this.#piped.settled();
    const { waiting, failed } = this.#piped;
    if (waiting > 0) {
      const { state, userId } = this.#client;
      this.#screen.print(notice(`${waiting} not sent yet; what is kept ${fateOfKept(state, userId)}`));
    }
    if (this.#unsent !== undefined) {
      this.#screen.print(notice(`the input was not sent from "${oneLine(this.#unsent, 40)}" on`));
    }
    const isLeft = !isTerminal && (waiting > 0 || this.#unsent !== undefined);
    const code = isLeft ? connectionProblem(this.#client.state, this.#settings).exitCode : EXIT.well;
    this.#leave(failed > 0 ? Math.max(EXIT.failed, code) : code);
  }
}

function threadOf(event: ClientEvent): string | undefined {
  switch (event.type) {
    case "entry":
      return event.entry.threadId;
    case "outbox":
      return event.item.threadId;
    case "receipt":
      return event.receipt.threadId;
    default:
      return undefined;
  }
}
