import { storeUnavailable } from "../base/heddle-error.ts";

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
  /** Writes that took effect after their caller had given up, or was stopped. */
  lateWrites = 0;

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

  /** Lets one of the waiting points go on; late writes count among them. Does nothing if none waits. */
  async advance(pick: number, fate: Fate): Promise<void> {
    const count = this.waiting;
    if (count === 0) return;
    const at = pick % count;
    if (at < this.#points.length) {
      const [point] = this.#points.splice(at, 1) as [Point];
      point.resume(fate === "late" && !point.effect ? "lost" : fate);
    } else {
      const [late] = this.#late.splice(at - this.#points.length, 1);
      this.lateWrites += 1;
      await late?.effect();
    }
    await quiet();
  }

  /** Lets everything go on until nothing waits. */
  async drain(): Promise<void> {
    for (let guard = 0; this.waiting > 0; guard++) {
      if (guard > 20_000) throw new Error("the servers never come to rest");
      await this.advance(0, "go");
    }
  }

  /** Stops a server for ever. Writes of its that wait may still take effect. */
  stop(owner: string): void {
    this.#stopped.add(owner);
    for (const point of this.#points) {
      if (point.owner === owner && point.effect) this.#late.push({ owner, effect: point.effect });
    }
    this.#points = this.#points.filter((point) => point.owner !== owner);
  }

  #wait(owner: string, label: string, effect: (() => Promise<unknown>) | undefined): Promise<Fate> {
    return new Promise((resume) => {
      if (!this.#stopped.has(owner)) this.#points.push({ owner, label, resume, effect });
    });
  }
}

/** Resolves when every promise that could go on has done so. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
