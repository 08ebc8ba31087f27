import { breachesOf } from "./judge/checker.ts";
import type { Seen } from "./judge/history.ts";
import { stallsOf } from "./judge/stalls.ts";
import { befall, type Clients, heal, tellLate } from "./mesh/befall.ts";
import type { MeshProcess } from "./mesh/mesh-process.ts";
import { World } from "./mesh/world.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { type Bites, bite } from "./network/sim-link.ts";
import type { MeshFault } from "./plan/mesh-faults.ts";
import { type DeviceFault, deviceName, type Plan, type PlanStep } from "./plan/plan.ts";
import { setMachine } from "./time/guard.ts";
import { act, chatsOf, putOnScreen, type Stage } from "./users/acts.ts";
import { noteCalm, noteEnd } from "./users/at-rest.ts";
import { SimDevice } from "./users/sim-device.ts";

/** Before the calm is judged: a watch is answered by then. */
const WATCH_MS = 15_000;

/** How often it is looked whether sends can be taken, in ms. */
const LOOK_MS = 200;

/** An instance that leaves has ended within this, in ms. */
const LEAVING_MS = 15_000;

/** A client that hears nothing gives its stream up within this, in ms. */
const UNHEARD_MS = 30_000;

/** A device that stood still has read what waited, and has a stream again, within this, in ms. */
const WAKING_MS = 10_000;

export interface Outcome {
  readonly history: readonly Seen[];
  readonly breaches: readonly string[];
  /** The longest that a send took which nothing of its own device or of the stores held up, in ms. */
  readonly longestSendMs: number;
  readonly bites: Bites;
  /** How often each branch of the protocol was reached. */
  readonly reached: Bites;
  /** Simulated ms, without those in which everybody slept. */
  readonly lengthMs: number;
  readonly steps: number;
}

/** Plays a plan to its end, and judges what clients saw. */
export async function simulate(plan: Plan, mutant: Mutant = {}): Promise<Outcome> {
  const play = new Play(plan, mutant);
  const { history, world } = play;
  process.on("unhandledRejection", world.threw);
  try {
    await play.play();
  } finally {
    process.off("unhandledRejection", world.threw);
    setMachine(undefined);
  }
  const thrown = world.faults.map((fault) => `thrown: ${fault instanceof Error ? fault.stack : fault}`);
  return {
    history,
    bites: world.bites,
    reached: play.reached,
    breaches: [...breachesOf(history), ...thrown],
    longestSendMs: stallsOf(history)[0]?.forMs ?? 0,
    lengthMs: world.engine.nowMs - play.sleptMs,
    steps: world.engine.steps,
  };
}

class Play implements Clients, Stage {
  readonly history: Seen[] = [];
  readonly world: World;
  readonly plan: Plan;
  readonly devices: readonly SimDevice[];
  readonly threadIds: (string | undefined)[];
  /** How often each branch was reached until the last calm. */
  reached: Bites = new Map();
  /** How long nobody did anything, in simulated ms. */
  sleptMs = 0;
  #asleepUntilMs = 0;
  #takesSends = true;

  constructor(plan: Plan, mutant: Mutant) {
    this.plan = plan;
    this.world = new World(plan.seed, mutant);
    this.threadIds = plan.threads.map(() => undefined);
    const { world, history } = this;
    this.devices = plan.devices.map((user, at) => {
      const random = world.engine.random.fork(`device ${at}`);
      return new SimDevice({ name: deviceName(plan, at), user: `u${user}`, world, random, history });
    });
  }

  async play(): Promise<void> {
    const { engine } = this.world;
    this.#lookAtStores();
    for (const name of this.plan.processes) {
      engine.at(engine.random.between(0, 300), undefined, () => this.world.start(name));
    }
    const late = new Set(this.plan.steps.flatMap((step) => (step.what === "sign in" ? [step.device] : [])));
    for (const [at, device] of this.devices.entries()) {
      const startMs = engine.random.between(300, 2_300);
      if (!late.has(at)) engine.at(startMs, undefined, () => device.start());
    }
    this.plan.threads.forEach((members, at) => {
      if (members.length > 2) engine.at(4_000, undefined, () => this.#makeGroup(at, members));
    });
    for (const step of this.plan.steps) engine.at(step.atMs, undefined, () => this.#do(step));
    for (const calmMs of this.plan.calms) {
      await engine.runUntil(calmMs - 2 * WATCH_MS);
      if (calmMs === this.plan.calms.at(-1)) this.#heal();
      else if (!this.plan.isBrief) tellLate(this.world);
      await engine.runUntil(calmMs - WATCH_MS);
      for (const device of this.devices) engine.after(0, device.life, () => this.#watch(device));
      await engine.runUntil(calmMs);
      noteCalm(this.devices);
    }
    this.reached = new Map(this.world.reached); // What is asked for now proves nothing.
    for (const device of this.devices) device.client?.foreground();
    await engine.runUntil(engine.nowMs + 10_000);
    for (const device of this.devices) engine.at(engine.nowMs, device.life, () => void noteEnd(device));
    await engine.runUntil(engine.nowMs + 20_000);
    this.world.rows.close();
  }

  #makeGroup(at: number, [creator, ...others]: readonly number[]): void {
    const device = this.devices.find(({ user, client }) => user === `u${creator}` && client);
    if (!device?.client) return;
    const { client } = device;
    this.world.engine.after(0, device.life, () => {
      const made = client.groups.create(
        `group ${at}`,
        others.map((user) => `u${user}`),
      );
      made.then(
        ({ threadId }) => {
          this.threadIds[at] = threadId;
        },
        () => {},
      );
    });
  }

  #do(step: PlanStep): void {
    if (!("device" in step)) {
      this.#noteTrouble(step);
      befall(this.world, this, step);
      this.#noteStores();
      return;
    }
    const device = this.devices[step.device] as SimDevice;
    if ("forMs" in step) this.#breakDevice(device, step);
    else if (device.client)
      this.world.engine.after(0, device.life, () => void act(this, device, step).catch(() => {}));
  }

  /** Notes from when on sends can be taken, and from when on they cannot. */
  #noteStores(): void {
    const { engine, takesSends: serve } = this.world;
    if (serve !== this.#takesSends)
      this.history.push({ atMs: engine.nowMs, device: "", user: "", type: "stores", serve });
    this.#takesSends = serve;
  }

  #lookAtStores(): void {
    this.#noteStores();
    for (const process of this.world.processes.values()) if (process.life.isAlive) process.look();
    const { engine } = this.world;
    engine.at(Math.max(engine.nowMs + LOOK_MS, this.#asleepUntilMs), undefined, () => this.#lookAtStores());
  }

  /** A place that is given up takes its time before the process ends, and what was restored goes back at the end. */
  #noteTrouble({ what, forMs }: MeshFault): void {
    const { nowMs } = this.world.engine;
    this.history.push({
      atMs: nowMs,
      device: "",
      user: "",
      type: "trouble",
      what,
      forMs: forMs + LEAVING_MS,
    });
  }

  sleep(untilMs: number): void {
    for (const { life } of this.devices) if (life?.isAlive) life.pausedUntilMs = untilMs;
    this.#asleepUntilMs = untilMs;
    this.sleptMs += untilMs - this.world.engine.nowMs;
  }

  lost(process: MeshProcess, isHeard: boolean): void {
    for (const { transport } of this.devices) {
      if (isHeard) transport?.cut(process);
      else transport?.silence(process);
    }
  }

  #breakDevice(device: SimDevice, { what, forMs }: DeviceFault): void {
    const { engine, bites } = this.world;
    if (what !== "crash device" && what !== "sign in")
      device.notes.tell({
        type: "trouble",
        what,
        forMs: forMs + (what === "half-open" ? UNHEARD_MS : what === "pause device" ? WAKING_MS : 0),
      });
    if (what === "crash device") {
      bite(bites, what);
      device.crash();
      engine.after(forMs, undefined, () => device.start());
    } else if (what === "sign in") device.start();
    else if (what === "pause device") {
      if (!device.life?.isAlive) return;
      bite(bites, what);
      device.life.pausedUntilMs = engine.nowMs + forMs;
    } else if (what === "half-open") {
      device.way.silentUntilMs = engine.nowMs + forMs;
    } else {
      if (what === "offline") device.way.awayUntilMs = engine.nowMs + forMs;
      device.transport?.cut();
    }
  }

  /** Every fault ends; who is away comes back. */
  #heal(): void {
    heal(this.world, this.plan.processes);
    for (const device of this.devices) {
      device.way.silentUntilMs = 0;
      device.way.awayUntilMs = 0;
      device.start();
    }
  }

  /** Watches everybody that the device chats with. */
  #watch(device: SimDevice): void {
    putOnScreen(device, chatsOf(this.plan, device.user));
  }
}
