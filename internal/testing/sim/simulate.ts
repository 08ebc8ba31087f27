import type { SoleChannel } from "../../channel/sole-channel.ts";
import type { MessageStore } from "../../store/message-store.ts";
import { SqliteThreadStore } from "../../store/sqlite/sqlite-thread-store.ts";
import { MemoryMessageStore } from "../fakes/memory-message-store.ts";
import { breachesOf } from "./judge/checker.ts";
import type { Seen } from "./judge/history.ts";
import { SimServer } from "./mesh/sim-server.ts";
import { remoteStore, type StoreState } from "./network/remote-store.ts";
import { type Bites, bite } from "./network/sim-link.ts";
import { deviceName, type Plan, type PlanStep } from "./plan/plan.ts";
import { Engine, type Life } from "./time/engine.ts";
import { setMachine } from "./time/guard.ts";
import { LifeClock } from "./time/life-clock.ts";
import { SimDevice, seenOf } from "./users/sim-device.ts";

const NO_THREAD = { head: { seq: 0 }, readSeq: 0, unread: 0, hasLeft: false };

/** Within which all is well again after the last fault: back-off, a lost stream's 25 s, presence's 40 s. */
const CALM_MS = 100_000;

/** Before the calm is judged: a watch is answered by then. */
const WATCH_MS = 15_000;

export interface Outcome {
  readonly history: readonly Seen[];
  readonly breaches: readonly string[];
  readonly bites: Bites;
  /** Simulated ms. */
  readonly lengthMs: number;
  readonly steps: number;
}

/** What is broken in a variant; what is left out is as it is. */
export interface Mutant {
  readonly channel?: (channel: SoleChannel) => SoleChannel;
  readonly logs?: (logs: MessageStore) => MessageStore;
  readonly rows?: (rows: SqliteThreadStore) => SqliteThreadStore;
}

/** Plays a plan to its end, and judges what clients saw. */
export async function simulate(plan: Plan, mutant: Mutant = {}): Promise<Outcome> {
  const world = new World(plan, mutant);
  const faults: unknown[] = [];
  const onFault = (fault: unknown) => faults.push(fault);
  process.on("unhandledRejection", onFault);
  try {
    await world.play();
  } finally {
    process.off("unhandledRejection", onFault);
    setMachine(undefined);
  }
  const thrown = faults.map((fault) => `thrown: ${fault instanceof Error ? fault.stack : fault}`);
  const { history, bites, engine } = world;
  return {
    history,
    bites,
    breaches: [...breachesOf(history), ...thrown],
    lengthMs: engine.nowMs,
    steps: engine.steps,
  };
}

class World {
  readonly history: Seen[] = [];
  readonly bites: Bites = new Map();
  readonly engine: Engine;
  readonly #plan: Plan;
  readonly #mutant: Mutant;
  readonly #devices: readonly SimDevice[];
  readonly #logs: MessageStore;
  readonly #rows: SqliteThreadStore;
  readonly #logsState: StoreState = { slowUntilMs: 0, awayUntilMs: 0 };
  readonly #rowsState: StoreState = { slowUntilMs: 0, awayUntilMs: 0 };
  readonly #threadIds: (string | undefined)[];
  #server: SimServer | undefined;

  constructor(plan: Plan, mutant: Mutant) {
    this.#plan = plan;
    this.#mutant = mutant;
    const engine = new Engine(plan.seed);
    this.engine = engine;
    const storeLife: Life = { name: "rows", isAlive: true, pausedUntilMs: 0 };
    const memory = new MemoryMessageStore();
    this.#logs = mutant.logs?.(memory) ?? memory;
    const rows = new SqliteThreadStore({
      path: ":memory:",
      clock: new LifeClock(engine, storeLife, 20_000, 1),
    });
    this.#rows = mutant.rows?.(rows) ?? rows;
    this.#threadIds = plan.threads.map(() => undefined);
    this.#devices = plan.devices.map(
      (user, at) =>
        new SimDevice({
          name: deviceName(plan, at),
          user: `u${user}`,
          engine,
          random: engine.random.fork(`device ${at}`),
          bites: this.bites,
          history: this.history,
          server: () => this.#server,
        }),
    );
  }

  async play(): Promise<void> {
    const { engine } = this;
    this.#startServer();
    for (const device of this.#devices) {
      engine.at(engine.random.between(0, 2_000), undefined, () => device.start());
    }
    this.#plan.threads.forEach((members, at) => {
      if (members.length > 2) engine.at(4_000, undefined, () => this.#makeGroup(at, members));
    });
    for (const step of this.#plan.steps) engine.at(step.atMs, undefined, () => this.#do(step));
    await engine.runUntil(this.#plan.lengthMs);
    this.#heal();
    await engine.runUntil(this.#plan.lengthMs + CALM_MS - WATCH_MS);
    for (const device of this.#devices) engine.after(0, device.life, () => this.#watch(device));
    await engine.runUntil(this.#plan.lengthMs + CALM_MS);
    this.#noteCalm();
    for (const device of this.#devices) device.client?.foreground();
    await engine.runUntil(this.#plan.lengthMs + CALM_MS + 10_000);
    for (const device of this.#devices)
      engine.at(engine.nowMs, device.life, () => void this.#noteEnd(device));
    await engine.runUntil(this.#plan.lengthMs + CALM_MS + 30_000);
    this.#rows.close();
  }

  #startServer(): void {
    const { engine } = this;
    const life: Life = { name: "server", isAlive: true, pausedUntilMs: 0 };
    engine.after(0, life, () => {
      const clock = new LifeClock(engine, life, -15_000, 1.0005);
      const random = engine.random.fork(`stores ${engine.nowMs}`);
      const shared = { engine, random, bites: this.bites, life };
      this.#server = new SimServer({
        life,
        clock,
        logs: remoteStore(this.#logs, { ...shared, name: "log", state: this.#logsState }),
        rows: remoteStore(this.#rows, { ...shared, name: "row", state: this.#rowsState }),
        history: { deploymentId: new Uint8Array(16).fill(7), logEpoch: 1 + engine.nowMs },
        breakChannel: this.#mutant.channel,
      });
    });
  }

  #makeGroup(at: number, [creator, ...others]: readonly number[]): void {
    const device = this.#devices.find(({ user, client }) => user === `u${creator}` && client);
    if (!device?.client) return;
    const { client } = device;
    this.engine.after(0, device.life, () => {
      const made = client.groups.create(
        `group ${at}`,
        others.map((user) => `u${user}`),
      );
      made.then(
        ({ threadId }) => {
          this.#threadIds[at] = threadId;
        },
        () => {},
      );
    });
  }

  #do(step: PlanStep): void {
    const { engine } = this;
    if ("forMs" in step && !("device" in step)) {
      this.#breakServer(step.what, engine.nowMs + step.forMs, step.forMs);
      return;
    }
    const device = this.#devices[(step as { device: number }).device] as SimDevice;
    if ("forMs" in step) this.#breakDevice(device, step.what, step.forMs);
    else if (device.client) engine.after(0, device.life, () => void this.#act(device, step).catch(() => {}));
  }

  async #act(device: SimDevice, step: PlanStep): Promise<void> {
    const { client } = device;
    if (!client) return;
    if (step.what === "block") await client.blocks.block(`u${step.peer}`);
    if (step.what === "unblock") await client.blocks.unblock(`u${step.peer}`);
    if (!("thread" in step)) return;
    const members = this.#plan.threads[step.thread] ?? [];
    const peer = members.length === 2 ? members.find((user) => `u${user}` !== device.user) : undefined;
    const threadId = this.#threadIds[step.thread];
    if (peer === undefined && !threadId) return;
    const conversation =
      peer === undefined ? client.conversation(threadId as string) : await client.direct(`u${peer}`);
    if (peer !== undefined) client.watch([`u${peer}`]);
    if (step.what === "read") conversation.markRead();
    if (step.what === "type") client.typing(conversation.threadId);
    if (step.what !== "write") return;
    const { item } = await conversation.send(step.text);
    device.tell({ type: "write", thread: item.threadId, clientId: item.clientId, text: step.text });
  }

  #breakDevice(device: SimDevice, what: string, forMs: number): void {
    const { engine } = this;
    if (what === "crash device") {
      bite(this.bites, what);
      device.crash();
      engine.after(forMs, undefined, () => device.start());
    } else if (what === "half-open") {
      device.way.silentUntilMs = engine.nowMs + forMs;
    } else {
      if (what === "offline") device.way.awayUntilMs = engine.nowMs + forMs;
      device.transport?.cut();
    }
  }

  #breakServer(what: string, untilMs: number, forMs: number): void {
    if (what === "crash server") {
      if (!this.#server) return;
      bite(this.bites, what);
      this.#server.life.isAlive = false;
      this.#server = undefined;
      for (const device of this.#devices) device.transport?.cut();
      this.engine.after(forMs, undefined, () => this.#startServer());
    } else if (what === "pause server" && this.#server) {
      bite(this.bites, what);
      this.#server.life.pausedUntilMs = untilMs;
    } else if (what === "slow logs") this.#logsState.slowUntilMs = untilMs;
    else if (what === "slow rows") this.#rowsState.slowUntilMs = untilMs;
    else if (what === "logs away") this.#logsState.awayUntilMs = untilMs;
    else if (what === "rows away") this.#rowsState.awayUntilMs = untilMs;
  }

  /** Every fault ends; who is away comes back. */
  #heal(): void {
    for (const device of this.#devices) {
      device.way.silentUntilMs = 0;
      device.way.awayUntilMs = 0;
      device.start();
    }
  }

  /** Watches everybody whom the device chats with. */
  #watch({ client }: SimDevice): void {
    client?.watch(client.threads().flatMap(({ peer }) => peer ?? []));
  }

  #noteCalm(): void {
    for (const device of this.#devices) {
      const { client } = device;
      if (!client) continue;
      const heads = client.threads().map(({ threadId, head }) => [threadId, head.seq] as const);
      device.tell({ type: "calm", heads: Object.fromEntries(heads) });
      for (const { peer, isBlocked } of client.threads()) {
        const status = peer === undefined || isBlocked ? undefined : client.presence(peer)?.status;
        if (peer !== undefined && status)
          device.tell({ type: "watching", of: peer, status, isThere: this.#isThere(peer) });
      }
    }
  }

  #isThere(user: string): boolean {
    return this.#devices.some((device) => device.user === user && device.client?.state.phase === "live");
  }

  async #noteEnd(device: SimDevice): Promise<void> {
    const { client } = device;
    if (!client) return;
    device.tell({
      type: "outbox",
      texts: client
        .outbox()
        .filter(({ state }) => state !== "failed")
        .map(({ text }) => text),
    });
    for (const { threadId } of client.threads()) {
      const conversation = client.conversation(threadId);
      await conversation.open();
      while (conversation.hasOlder) if ((await conversation.older(200)).length === 0) break;
      const { head, readSeq, unread, hasLeft } = conversation.thread ?? NO_THREAD;
      const entries = conversation.entries.map(seenOf);
      device.tell({ type: "end", thread: threadId, headSeq: head.seq, hasLeft, readSeq, unread, entries });
    }
  }
}
