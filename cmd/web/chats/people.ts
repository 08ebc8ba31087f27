import { type ReadonlySignal, signal } from "@preact/signals";
import type { Client, Presence, Visibility } from "../../../client/index.ts";
import type { Connection, People } from "../model.ts";

/** How often "5 min ago" is counted anew. */
const TICK_MS = 30_000;
/** What a client may watch. */
const MOST_WATCHED = 100;

/** Who is there and who writes, as the client library knows it: of those on the screen at every moment. */
export class SeenPeople implements People {
  readonly #client: Client;
  readonly #page: Document;
  readonly #connection: ReadonlySignal<Connection>;
  /** Counts changes of presence and typing. What reads it while it is drawn, is drawn anew. */
  readonly #changes = signal(0);
  /** Counts changes of names, which are rare and redraw much. */
  readonly #names = signal(0);
  readonly #nowMs = signal(Date.now());
  readonly #tick: ReturnType<typeof setInterval>;
  /** By the part of the screen that they are on. */
  readonly #shown = new Map<string, readonly string[]>();

  constructor(client: Client, page: Document, connection: ReadonlySignal<Connection>) {
    this.#client = client;
    this.#page = page;
    this.#connection = connection;
    client.on(({ type }) => {
      if (type === "profile") this.#names.value += 1;
      if (type === "presence" || type === "typing") this.#changes.value += 1;
    });
    this.#tick = setInterval(() => {
      this.#nowMs.value = Date.now();
    }, TICK_MS);
    page.addEventListener("visibilitychange", this.#watch);
  }

  get nowMs(): ReadonlySignal<number> {
    return this.#nowMs;
  }

  presenceOf(userId: string): Presence | undefined {
    void this.#changes.value;
    // A browser that knows itself to be offline is believed before the client notices.
    return this.#connection.value.phase === "online" ? this.#client.presence(userId) : undefined;
  }

  typistsIn(chatId: string): readonly string[] {
    void this.#changes.value;
    return this.#client.typists(chatId);
  }

  show(part: "chat" | "list", userIds: readonly string[]): void {
    this.#shown.set(part, userIds);
    this.#watch();
  }

  nameOf(userId: string): string {
    void this.#names.value;
    return this.#client.profile(userId)?.displayName ?? userId;
  }

  pictureOf(userId: string): string | undefined {
    void this.#names.value;
    return this.#client.profile(userId)?.pictureUrl;
  }

  visibility(): Promise<Visibility> {
    return this.#client.visibility();
  }

  setVisibility(visibility: Visibility): Promise<Visibility> {
    return this.#client.setVisibility(visibility);
  }

  close(): void {
    clearInterval(this.#tick);
    this.#page.removeEventListener("visibilitychange", this.#watch);
  }

  /** Nobody looks at a tab in the background. */
  readonly #watch = () => {
    const all = this.#page.hidden ? [] : [...this.#shown.values()].flat();
    // An empty id is a group's row. Beyond 100 the last ones are left out, which the library would refuse.
    this.#client.watch(all.filter(Boolean).slice(0, MOST_WATCHED));
  };
}
