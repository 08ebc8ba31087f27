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
  client: Client | undefined;
  transport: SimTransport | undefined;
  life: Life | undefined;
  readonly #init: SimDeviceInit;
  readonly #storage = new MemoryStorage();
  readonly #clock: { readonly offMs: number; readonly rate: number };

  constructor(init: SimDeviceInit) {
    const { random } = init;
    this.#init = init;
    this.user = init.user;
    this.name = init.name;
    this.way = { delayMs: random.pick([1, 20, 80]), silentUntilMs: 0, awayUntilMs: 0 };
    this.#clock = { offMs: random.pick([0, 0, -90_000, 3_600_000]), rate: random.pick([1, 1, 0.999, 1.002]) };
  }

  /** Starts the program on the device, unless it runs. */
  start(): void {
    if (this.client || this.life?.isAlive) return;
    const { world, random, user, name } = this.#init;
    const { engine, bites } = world;
    const life: Life = { name, isAlive: true, pausedUntilMs: 0 };
    this.life = life;
    const edge = (word: string) => world.edge(word);
    const pushAt = (address: string) => world.livingAt(address);
    this.transport = new SimTransport({ engine, random, way: this.way, bites, life, edge, pushAt });
    const { transport } = this;
    engine.after(0, life, () => {
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

  /** Whether it was signed out for good. */
  get isSignedOut(): boolean {
    return this.client?.state.phase === "signed-out";
  }

  /** The program ends without a word; what its storage holds stays. */
  crash(): void {
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
      if (state === "sent" && seq !== undefined) this.tell({ type: "sent", thread, clientId, seq, text });
      if (state === "failed") this.tell({ type: "failed", clientId, text });
    } else if (event.type === "state") {
      this.tell({ type: "phase", phase: event.state.phase });
    } else if (event.type === "presence") {
      this.tell({ type: "presence", of: event.userId, status: event.presence?.status ?? "unknown" });
    }
  }
}

export function seenOf({ seq, sender, clientId, ordinal, body }: Entry): SeenEntry {
  return { seq, from: sender, clientId, ordinal, said: body.kind === "text" ? body.text : `[${body.kind}]` };
}
