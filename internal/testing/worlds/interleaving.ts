import { storeUnavailable } from "../../base/heddle-error.ts";

/** What becomes of a call that waits at a point. */
export type Fate =
  /** It goes on. */
  | "go"
  /** Before the effect: an error, and no effect. After it: an error although there was one (a lost answer). */
  | "lost"
  /** Before the effect of a write: an error now, and the effect at some later point, or never (a late write). */
  | "late";

interface Point {
  readonly owner: string;
  readonly label: string;
  readonly resume: (fate: Fate) => void;
  /** For a write that has not taken effect: makes it do so later, with nobody waiting for the answer. */
  readonly effect: (() => Promise<unknown>) | undefined;
}

/**
 * Decides in which order the port calls of several servers go on. Each call waits at two points, before its effect and
 * before its answer; a stopped server's calls wait for ever, and its writes on the way may still arrive, or not.
 */
export class Interleaving {
  #points: Point[] = [];
  #late: { readonly owner: string; readonly effect: () => Promise<unknown> }[] = [];
  readonly #stopped = new Set<string>();
  readonly #quiet: () => Promise<void>;
  /** Writes that took effect after their caller had given up, or was stopped. */
  lateWrites = 0;

  /** `settle` resolves when nothing goes on by itself: given where that takes more than turns of the event loop. */
  constructor(settle = quiet) {
    this.#quiet = settle;
  }

  /** How many points wait, late writes among them. */
  get waiting(): number {
    return this.#points.length + this.#late.length;
  }

  get stoppedServers(): number {
    return this.#stopped.size;
  }

  /** Runs `effect` as a port call of `owner`. `isWrite` says that it may come late. */
  async call<T>(owner: string, label: string, isWrite: boolean, effect: () => Promise<T>): Promise<T> {
    const before = await this.#wait(owner, label, isWrite ? effect : undefined);
    if (before === "lost") throw storeUnavailable(label);
    if (before === "late") {
      this.#late.push({ owner, effect });
      throw storeUnavailable(label);
    }
    const result = await effect();
    const after = await this.#wait(owner, `${label} answer`, undefined);
    if (after !== "go") throw storeUnavailable(label);
    return result;
  }

  /**
   * Lets one of the waiting points go on: of `owner` alone, or of everybody, late writes among them. Does nothing if
   * none waits.
   */
  async advance(pick: number, fate: Fate, owner?: string): Promise<void> {
    const points = this.#points.filter((point) => owner === undefined || point.owner === owner);
    const late = owner === undefined ? this.#late : [];
    const count = points.length + late.length;
    if (count === 0) return;
    const at = pick % count;
    const point = points[at];
    if (point) {
      this.#points.splice(this.#points.indexOf(point), 1);
      point.resume(fate === "late" && !point.effect ? "lost" : fate);
    } else {
      const [write] = this.#late.splice(at - points.length, 1);
      this.lateWrites += 1;
      // Not awaited: it may meet points of its own. Nobody waits for its answer.
      write?.effect().catch(() => {});
    }
    await this.#quiet();
  }

  /** Lets calls go on, `times` points of them: the first meets its fate, the others go. */
  async advanceSome(pick: number, times: number, fate: Fate, owner?: string): Promise<void> {
    for (let time = 0; time < times; time++) await this.advance(pick, time === 0 ? fate : "go", owner);
  }

  /** Lets everything go on until nothing waits and nothing is on its way to a point. */
  async drain(): Promise<void> {
    for (let idle = 0, guard = 0; idle < 4; guard++) {
      if (guard > 20_000) throw new Error("the servers never come to rest");
      idle = this.waiting > 0 ? 0 : idle + 1;
      if (idle === 0) await this.advance(0, "go");
      else await this.#quiet();
    }
  }

  /** Stops a server for ever. Its writes that wait may still take effect, or, with `writes` "lost", never will. */
  stop(owner: string, writes: "late" | "lost" = "late"): void {
    this.#stopped.add(owner);
    for (const point of this.#points) {
      if (writes === "late" && point.owner === owner && point.effect)
        this.#late.push({ owner, effect: point.effect });
    }
    this.#points = this.#points.filter((point) => point.owner !== owner);
  }

  #wait(owner: string, label: string, effect: (() => Promise<unknown>) | undefined): Promise<Fate> {
    return new Promise((resume) => {
      if (!this.#stopped.has(owner)) this.#points.push({ owner, label, resume, effect });
    });
  }
}

/** Resolves when every promise that could go on has done so; stores that commit in a later turn have done that too. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
