import { createHash } from "node:crypto";
import { type Client, connect } from "../../../../client/index.ts";
import type { Entry } from "../../../../client/model/model.ts";
import { MemoryStorage } from "../../../../client/storage/memory-storage.ts";
import type { Seen, SeenEntry } from "../judge/history.ts";
import type { World } from "../mesh/world.ts";
import type { Way } from "../network/sim-link.ts";
import { SimTransport } from "../network/sim-transport.ts";
import type { Life } from "../time/engine.ts";
import { LifeClock } from "../time/life-clock.ts";
import type { SimRandom } from "../time/sim-random.ts";

type Told<T> = T extends unknown ? Omit<T, "atMs" | "device" | "user"> : never;

export interface SimDeviceInit {
  readonly name: string;
  readonly user: string;
  readonly world: World;
  readonly random: SimRandom;
  readonly history: Seen[];
}

/** A user's device: the real client library, a storage that outlives its crashes, and notes of what it saw. */
export class SimDevice {
  readonly way: Way;
  readonly user: string;
  readonly name: string;
  /** The other user of each direct thread that it has chatted in. */
  readonly peers = new Map<string, string>();
  client: Client | undefined;
  transport: SimTransport | undefined;
  life: Life | undefined;
  readonly #init: SimDeviceInit;
  readonly #storage = new MemoryStorage();
  /** Who is on the screen, as it was noted. */
  #watched = "";
  readonly #clock: { readonly offMs: number; readonly rate: number };

  constructor(init: SimDeviceInit) {
    const { random } = init;
    this.#init = init;
    this.user = init.user;
    this.name = init.name;
    this.way = { delayMs: random.pick([1, 20, 80]), slowUntilMs: 0, silentUntilMs: 0, awayUntilMs: 0 };
    this.#clock = { offMs: random.pick([0, 0, -90_000, 3_600_000]), rate: random.pick([1, 1, 0.999, 1.002]) };
  }

  /** Starts the program on the device, unless it runs. */
  start(): void {
    if (this.client || this.life?.isAlive) return;
    const { world, random, user, name } = this.#init;
    const { engine, bites, reached } = world;
    const life: Life = { name, isAlive: true, pausedUntilMs: 0 };
    this.life = life;
    const edge = (word: string) => world.edge(word);
    const pushAt = (address: string) => world.livingAt(address);
    const streamEnded = (unacknowledged: number) => this.tell({ type: "stream", unacknowledged });
    this.transport = new SimTransport({
      engine,
      random,
      way: this.way,
      bites,
      life,
      edge,
      pushAt,
      streamEnded,
      reached,
    });
    const { transport } = this;
    engine.after(0, life, () => {
      this.#watched = "";
      this.tell({ type: "begin" });
      const clock = new LifeClock(engine, life, this.#clock.offMs, this.#clock.rate);
      void connect({
        userId: user,
        deviceId: name,
        transport,
        credentials: async () => user,
        storage: this.#storage,
        clock,
        random: () => random.fraction(),
        digest: async (bytes) => createHash("sha256").update(bytes).digest(),
      }).then((client) => {
        this.client = client;
        client.on((event) => this.#note(event));
      });
    });
  }

  /** Puts these users on the screen, and nobody else. */
  watch(users: readonly string[]): void {
    this.client?.watch(users);
    const watched = users.join(" ");
    if (watched !== this.#watched) this.tell({ type: "watch", of: users });
    this.#watched = watched;
  }

  /** Whether it was signed out for good. */
  get isSignedOut(): boolean {
    return this.client?.state.phase === "signed-out";
  }

  /** The program ends without a word; what its storage holds stays. */
  crash(): void {
    if (this.life?.isAlive) this.tell({ type: "phase", phase: "crashed" });
    if (this.life) this.life.isAlive = false;
    this.transport?.cut();
    this.client = undefined;
  }

  tell(seen: Told<Seen>): void {
    const { world, history, name, user } = this.#init;
    history.push({ atMs: world.engine.nowMs, device: name, user, ...seen } as Seen);
  }

  #note(event: Parameters<Parameters<Client["on"]>[0]>[0]): void {
    if (event.type === "entry") {
      this.tell({ type: "entry", thread: event.entry.threadId, entry: seenOf(event.entry) });
    } else if (event.type === "outbox") {
      const { state, threadId: thread, clientId, seq, text } = event.item;
      const { recipientOffline: isOffline } = event.item;
      const to = this.peers.get(thread);
      const told = { ...(to !== undefined && { to }), ...(isOffline !== undefined && { isOffline }) };
      if (state === "sent" && seq !== undefined)
        this.tell({ type: "sent", thread, clientId, seq, text: shownText(text), ...told });
      if (state === "failed") this.tell({ type: "failed", clientId, text: shownText(text) });
    } else if (event.type === "state") {
      this.tell({ type: "phase", phase: event.state.phase });
    } else if (event.type === "presence") {
      this.tell({ type: "presence", of: event.userId, status: event.presence?.status ?? "unknown" });
    } else if (event.type === "receipt") {
      const { threadId: thread, userId: of, deliveredSeq: delivered, readSeq: read } = event.receipt;
      if (of !== this.user) this.tell({ type: "receipt", thread, of, delivered, read });
    } else if (event.type === "typing" && event.isTyping) {
      this.tell({ type: "typing", thread: event.threadId, of: event.userId });
    }
  }
}

export function seenOf({ seq, sender, clientId, ordinal, body }: Entry): SeenEntry {
  return { seq, from: sender, clientId, ordinal, said: saidOf(body) };
}

function saidOf(body: Entry["body"]): string {
  if (body.kind === "text") return shownText(body.text);
  if (body.kind !== "member_change") return `[${body.kind}]`;
  const [came, went] = [
    body.added.map(({ userId }) => ` +${userId}`),
    body.removed.map((user) => ` -${user}`),
  ];
  return `[member_change${[...came, ...went].join("")}]`;
}

/** A text as a history has it: all of it, or its beginning with its length and hash. */
export function shownText(text: string): string {
  if (text.length <= 60) return text;
  return `${text.slice(0, 20)}… ${text.length} ${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}
