import { storeUnavailable } from "../../../base/heddle-error.ts";
import type { Engine, Life } from "../time/engine.ts";
import type { SimRandom } from "../time/sim-random.ts";
import { type Bites, bite } from "./sim-link.ts";

/** How a store's machine is just now. Times are simulated ms. */
export interface StoreState {
  slowUntilMs: number;
  /** Until then calls are refused, some only after they took effect. */
  awayUntilMs: number;
}

/** A store on another machine: each call takes time, and may fail with or without its effect, or take effect late. */
export function remoteStore<T extends object>(
  store: T,
  deps: {
    readonly name: string;
    readonly engine: Engine;
    readonly random: SimRandom;
    readonly state: StoreState;
    readonly bites: Bites;
    readonly life: Life;
  },
): T {
  const { engine, random, state, bites, life, name } = deps;
  const wait = (ms: number, to: Life | undefined) =>
    new Promise<void>((resolve) => void engine.after(ms, to, resolve));
  const call = async (effect: () => Promise<unknown>): Promise<unknown> => {
    const isSlow = state.slowUntilMs > engine.nowMs;
    if (isSlow) bite(bites, `slow ${name} store`);
    const delayMs = (isSlow ? 400 : 1) * (0.5 + random.fraction());
    if (state.awayUntilMs <= engine.nowMs) {
      await wait(delayMs, undefined);
      const answer = await effect();
      await wait(delayMs, life);
      return answer;
    }
    bite(bites, `${name} store away`);
    const fate = random.between(0, 2); // Nothing, an effect before the error, an effect after it.
    if (fate === 1)
      await wait(delayMs, undefined)
        .then(effect)
        .catch(() => {});
    if (fate === 2)
      engine.after(50 + 3_000 * random.fraction(), undefined, () => void effect().catch(() => {}));
    await wait(delayMs, life);
    throw storeUnavailable(name);
  };
  const calls = new Map<string | symbol, unknown>();
  return new Proxy(store, {
    get(target, key) {
      const known = calls.get(key);
      if (known) return known;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const method = value as (...values: unknown[]) => Promise<unknown>;
      const made =
        key === "noteUse"
          ? method.bind(target)
          : (...values: unknown[]) => call(async () => method.apply(target, values));
      calls.set(key, made);
      return made;
    },
  });
}
