import { setTimeout as wait } from "node:timers/promises";
import type { SeededRandom } from "../../fakes/time/seeded-random.ts";
import { breachesOf } from "../../sim/judge/checker.ts";
import type { Seen } from "../../sim/judge/history.ts";
import type { UserStep } from "../../sim/plan/plan.ts";
import { act, chatsOf, putOnScreen, type Stage } from "../../sim/users/acts.ts";
import { noteCalm, noteEnd } from "../../sim/users/at-rest.ts";
import { RealDevice } from "./real-device.ts";

/** How many clients are started at a time: more at once would be a test of starting. */
const STARTED_AT_ONCE = 20;

/** How often the crowd writes, in ms: several messages then, as many as its rate says. */
const TICK_MS = 20;

/** Within which everybody is connected and knows every group, in ms. */
const START_MS = 90_000;

/** What was acknowledged so long before a calm is judged in it: `checker.ts`, in ms. */
const JUDGED_MS = 11_000;

/** A calm waits no longer for what is still missing; the judge says what that is. In ms. */
const CALM_MS = 45_000;

/** Once all is quiet a sync, and what a client asks for after one, is over within this, in ms: as in the simulator. */
const SYNCED_MS = 10_000;

/** How often it is looked whether all is quiet, in ms. */
const LOOK_MS = 250;

/** Of what people do beside writing, so much of each, of 1. */
const READS = 0.2;
const TYPES = 0.05;

export interface CrowdInit {
  readonly random: SeededRandom;
  readonly grpcUrl: string;
  readonly ca?: Uint8Array;
  /** Signs these users in, for longer than the test. */
  readonly tokensOf: (users: readonly string[]) => Promise<Readonly<Record<string, string>>>;
  readonly users: number;
  /** At least one a user. */
  readonly devices: number;
  readonly groups: number;
  readonly directs: number;
}

/**
 * People who chat with real servers, and the history of what each of their devices saw, for the judge of the simulator.
 * Everybody has somebody to chat with; the first third of the devices loses its stream now and then.
 */
export class Crowd implements Stage {
  readonly history: Seen[] = [];
  readonly plan: { readonly threads: readonly (readonly number[])[] };
  readonly threadIds: (string | undefined)[];
  readonly devices: readonly RealDevice[];
  readonly #random: SeededRandom;
  readonly #startedMs = performance.now();
  #written = 0;
  #timers: NodeJS.Timeout[] = [];

  private constructor(init: CrowdInit, tokens: Readonly<Record<string, string>>) {
    const { random, grpcUrl, ca, users, devices } = init;
    this.#random = random;
    this.plan = { threads: threadsOf(init) };
    this.threadIds = this.plan.threads.map(() => undefined);
    const { history } = this;
    this.devices = Array.from({ length: devices }, (_, at) => {
      const user = `u${at % users}`;
      const token = tokens[user] ?? "";
      const way = { grpcUrl, ...(ca && { ca }) };
      const nowMs = () => this.nowMs();
      return new RealDevice({
        name: `${user}-${Math.floor(at / users)}`,
        user,
        token,
        nowMs,
        history,
        ...way,
      });
    });
  }

  /** Connects everybody and makes the groups. Rejects with what is missing after 90 s. */
  static async gather(init: CrowdInit): Promise<Crowd> {
    const names = Array.from({ length: init.users }, (_, at) => `u${at}`);
    const crowd = new Crowd(init, await init.tokensOf(names));
    const { devices } = crowd;
    for (let at = 0; at < devices.length; at += STARTED_AT_ONCE) {
      const some = devices.slice(at, at + STARTED_AT_ONCE);
      await Promise.all(some.map((device) => device.start()));
      await until(() => some.every(({ isLive }) => isLive), START_MS, "everybody is connected");
    }
    await crowd.#makeGroups();
    for (const device of devices) putOnScreen(device, chatsOf(crowd.plan, device.user));
    return crowd;
  }

  /** The clock of the history, in ms. */
  nowMs(): number {
    return Math.round(performance.now() - this.#startedMs);
  }

  /** Messages that were answered so far. */
  get sent(): number {
    return this.history.filter(({ type }) => type === "sent").length;
  }

  /** Resolves once so many more were answered. Rejects after so long, in ms. */
  async answered(count: number, ms: number): Promise<void> {
    const enough = this.sent + count;
    await until(() => this.sent >= enough, ms, `${count} messages were answered`);
  }

  /** Everybody writes, so many messages a second in all, and reads, and types; some lose their streams. Until `hush`. */
  chat(perSecond: number): void {
    const each = (perSecond * TICK_MS) / 1_000;
    let due = 0;
    this.#every(TICK_MS, () => {
      for (due += each; due >= 1; due--) this.#writeOne();
    });
    const third = this.devices.slice(0, Math.ceil(this.devices.length / 3));
    this.#every(1_000, () => this.#random.pick(third).cut());
  }

  /** Nobody writes any more. */
  hush(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  /** A person does something else on one of the user's devices. */
  async act(user: string, step: UserStep): Promise<void> {
    const device = this.devices.find((one) => one.user === user && one.isLive);
    if (!device) throw new Error(`no device of ${user} is connected`);
    await act(this, device, step);
  }

  /** Notes that the servers are hurt from now on for so long; with a push server that stands still, also its clients. */
  trouble(what: string, forMs: number, pushServer?: string): void {
    this.#note({ type: "trouble", what, forMs });
    if (pushServer === undefined) return;
    for (const device of this.devices)
      if (device.isAt(pushServer)) device.notes.tell({ type: "trouble", what, forMs });
  }

  /** Notes whether sends can be taken from now on. */
  stores(serve: boolean): void {
    this.#note({ type: "stores", serve });
  }

  /**
   * Waits until everybody is connected, every outbox is empty and all know the same heads, and notes what each knows; not
   * for ever: what is missing then the judge says.
   */
  async calm(): Promise<void> {
    this.hush();
    const soonestMs = this.nowMs() + JUDGED_MS;
    const latestMs = this.nowMs() + CALM_MS;
    while (this.nowMs() < soonestMs || (!this.#isQuiet() && this.nowMs() < latestMs)) await wait(LOOK_MS);
    noteCalm(this.devices);
  }

  /** Everybody syncs, and says all that it holds; what the judge says of the whole history. */
  async breaches(): Promise<string[]> {
    for (const { client } of this.devices) client?.foreground();
    await wait(SYNCED_MS);
    await until(() => this.#isQuiet(), CALM_MS, "all is quiet").catch(() => {});
    for (const device of this.devices) await noteEnd(device);
    return breachesOf(this.history);
  }

  /** Begins another history: what was before is not judged again. Nobody writes meanwhile. */
  turnPage(): void {
    this.history.length = 0;
    for (const device of this.devices) {
      device.notes.begin();
      if (device.isLive) device.notes.tell({ type: "phase", phase: "live" });
      putOnScreen(device, chatsOf(this.plan, device.user));
    }
  }

  async close(): Promise<void> {
    this.hush();
    await Promise.all(this.devices.map((device) => device.close()));
  }

  #note(seen: { type: "trouble"; what: string; forMs: number } | { type: "stores"; serve: boolean }): void {
    this.history.push({ atMs: this.nowMs(), device: "", user: "", ...seen });
  }

  #every(ms: number, does: () => void): void {
    this.#timers.push(setInterval(does, ms));
  }

  async #makeGroups(): Promise<void> {
    for (const [at, members] of this.plan.threads.entries()) {
      if (members.length === 2) continue;
      const [creator, ...others] = members.map((user) => `u${user}`);
      const device = this.devices.find(({ user }) => user === creator);
      const made = await device?.client?.groups.create(`group ${at}`, others);
      this.threadIds[at] = made?.threadId;
    }
    const know = ({ client, user }: RealDevice) =>
      this.plan.threads.every((members, at) => {
        const threadId = this.threadIds[at];
        const isIn = members.some((member) => `u${member}` === user);
        return !threadId || !isIn || client?.threads().some((thread) => thread.threadId === threadId);
      });
    await until(() => this.devices.every(know), START_MS, "everybody knows every group");
  }

  #writeOne(): void {
    const thread = this.#random.between(0, this.plan.threads.length - 1);
    const user = `u${this.#random.pick(this.plan.threads[thread] ?? [])}`;
    const device = this.#random.pick(this.devices.filter((one) => one.user === user));
    const other = this.#random.fraction();
    const what = other < READS ? "read" : other < READS + TYPES ? "type" : undefined;
    const place = { device: 0, thread };
    const steps: UserStep[] = [{ ...place, what: "write", text: `text ${this.#written++}` }];
    if (what) steps.push({ ...place, what });
    // One whose outbox is full writes nothing: the history has no line of it, and nothing is owed.
    for (const step of steps) void act(this, device, step).catch(() => {});
  }

  #isQuiet(): boolean {
    const heads = new Map<string, number>();
    const held = this.devices.flatMap(({ client }) => client?.threads().filter((one) => !one.hasLeft) ?? []);
    for (const { threadId, head } of held) heads.set(threadId, Math.max(heads.get(threadId) ?? 0, head.seq));
    return (
      this.devices.every(({ client, isLive }) => isLive && client?.outbox().length === 0) &&
      held.every(({ threadId, head }) => head.seq === heads.get(threadId))
    );
  }
}

/** Direct threads between neighbours, and groups of a handful of people each. */
function threadsOf({ random, users, groups, directs }: CrowdInit): number[][] {
  const all = [...Array(users).keys()];
  const pairs = Array.from({ length: directs }, (_, at) => [(2 * at) % users, (2 * at + 1) % users]);
  const size = Math.ceil(users / Math.max(1, groups)) + 2;
  const gathered = Array.from({ length: groups }, (_, at) => {
    const own = all.filter((user) => user % groups === at);
    return [...new Set([...own, ...random.some(all, size - own.length)])];
  });
  return [...pairs, ...gathered];
}

/** Resolves once it holds. Rejects with what was awaited, after so long. */
async function until(holds: () => boolean, ms: number, what: string): Promise<void> {
  const endMs = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not within ${ms} ms: ${what}`);
    await wait(LOOK_MS);
  }
}
