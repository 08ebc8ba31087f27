import { createHash } from "node:crypto";
import { type Client, connect } from "../../../../client/index.ts";
import { MemoryStorage } from "../../../../client/storage/memory-storage.ts";
import type { Seen } from "../judge/history.ts";
import type { World } from "../mesh/world.ts";
import type { Way } from "../network/sim-link.ts";
import { SimTransport } from "../network/sim-transport.ts";
import type { Life } from "../time/engine.ts";
import { LifeClock } from "../time/life-clock.ts";
import type { SimRandom } from "../time/sim-random.ts";
import { type ChattingDevice, DeviceNotes } from "./device-notes.ts";

export interface SimDeviceInit {
  readonly name: string;
  readonly user: string;
  readonly world: World;
  readonly random: SimRandom;
  readonly history: Seen[];
}

/** A user's device: the real client library, a storage that outlives its crashes, and notes of what it saw. */
export class SimDevice implements ChattingDevice {
  readonly way: Way;
  readonly user: string;
  readonly name: string;
  readonly notes: DeviceNotes;
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
    const nowMs = () => init.world.engine.nowMs;
    this.notes = new DeviceNotes({ name: init.name, user: init.user, nowMs, history: init.history });
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
    const streamEnded = (unacknowledged: number) => this.notes.tell({ type: "stream", unacknowledged });
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
      this.notes.begin();
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
        client.on((event) => this.notes.hear(event));
      });
    });
  }

  /** The program ends without a word; what its storage holds stays. */
  crash(): void {
    if (this.life?.isAlive) this.notes.tell({ type: "phase", phase: "crashed" });
    if (this.life) this.life.isAlive = false;
    this.transport?.cut();
    this.client = undefined;
  }
}
