/**
 * Imported before everything else by the simulator's program: from then on nothing of this process reads its clock, its
 * random or its timers. What the simulation has an answer for comes from the seed; anything else throws.
 */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import timersPromises from "node:timers/promises";

/** What a simulation answers in place of the machine. */
export interface Machine {
  nowMs(): number;
  /** In [0, 1). */
  random(): number;
  /** Runs a callback in the next turn of the simulated process that asks. */
  soon(run: () => void): void;
}

const real = {
  setImmediate: globalThis.setImmediate,
  cpuUs: () => process.cpuUsage().user + process.cpuUsage().system,
};

let machine: Machine | undefined;

/** From now on this machine answers; undefined: none does. */
export function setMachine(next: Machine | undefined): void {
  machine = next;
}

/** Turns that are asked for at a time: all microtasks run between two of them, and the rest of the event loop after the last. */
const TURNS = 64;

/**
 * Calls `step` in turns of its own, so that every microtask that a step leads to has run before the next, until it says
 * that nothing is left. Rejects with what a step throws.
 */
export function inTurns(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const turn = () => {
      if (isOver) return;
      try {
        isOver = !step();
        if (isOver) resolve();
      } catch (error) {
        isOver = true;
        reject(error);
      }
    };
    const more = () => {
      turn();
      if (isOver) return;
      for (let at = 1; at < TURNS; at++) real.setImmediate(turn);
      real.setImmediate(more);
    };
    more();
  });
}

/** CPU time of this process, in microseconds: for figures, never for what happens. */
export const cpuUs = real.cpuUs;

/** Throws if something of this process waits for the thread pool, a timer or a socket. */
export function assertIdle(): void {
  const busy = process
    .getActiveResourcesInfo()
    .filter((name) => !/^(TTY|Pipe|Immediate|FileHandle)/.test(name));
  if (busy.length > 0) throw new Error(`the simulation waits for ${busy.join(", ")}`);
}

function ask(what: string): Machine {
  if (!machine) throw new Error(`${what} was used outside of a simulation`);
  return machine;
}

/** Also where it is constructed. */
function forbidden(what: string): () => never {
  return function throws(): never {
    throw new Error(`a simulated step used ${what}: give it a port`);
  };
}

function fill<T extends ArrayBufferView>(view: T): T {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const { random } = ask("random");
  for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(random() * 256);
  return view;
}

/** Puts `forbidden` in the place of these methods. */
function forbid(target: object, name: string, methods: readonly string[]): void {
  for (const method of methods) {
    const value = forbidden(name === "" ? method : `${name}.${method}`);
    Object.defineProperty(target, method, { value, configurable: true, writable: true });
  }
}

/** While packages are loaded it is answered, in a simulation it is forbidden. */
function atRest<T>(what: string, answer: () => T): () => T {
  return () => (machine ? forbidden(what)() : answer());
}

/** Random bytes or numbers at once; with a callback they would come from another thread. */
function atOnce<T extends unknown[], R>(what: string, answer: (...values: T) => R): (...values: T) => R {
  return (...values) => (typeof values.at(-1) === "function" ? forbidden(what)() : answer(...values));
}

// Packages look at the clock while they are loaded: it stands still then.
const RealDate = Date;
const nowMs = () => machine?.nowMs() ?? 0;
RealDate.now = nowMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, values, newTarget) =>
    Reflect.construct(target, values.length > 0 ? values : [nowMs()], newTarget),
  apply: () => new RealDate(nowMs()).toString(),
});
const hrtime = atRest("process.hrtime", (): [number, number] => [0, 0]);
process.hrtime = Object.assign(hrtime, { bigint: atRest("process.hrtime.bigint", () => 0n) });
process.uptime = atRest("process.uptime", () => 0);
Math.random = () => ask("Math.random").random();
globalThis.setImmediate = ((run: () => void) => ask("setImmediate").soon(run)) as typeof setImmediate;
const TIMERS = ["setTimeout", "setInterval"];
forbid(globalThis, "", [...TIMERS, "MessageChannel", "BroadcastChannel"]);
forbid(timers, "timers", [...TIMERS, "setImmediate"]);
forbid(timersPromises, "timers/promises", [...TIMERS, "setImmediate"]);
forbid(timersPromises.scheduler, "scheduler", ["wait", "yield"]);
forbid(performance, "performance", ["now", "mark", "measure"]);
forbid(Atomics, "Atomics", ["wait", "waitAsync"]);
forbid(AbortSignal, "AbortSignal", ["timeout"]);
globalThis.crypto.getRandomValues = fill as typeof globalThis.crypto.getRandomValues;
forbid(globalThis.crypto, "crypto", ["randomUUID"]);
forbid(
  globalThis.crypto.subtle,
  "crypto.subtle",
  Object.getOwnPropertyNames(SubtleCrypto.prototype).filter((name) => name !== "constructor"),
);
forbid(crypto, "crypto", [
  ...["randomUUID", "randomUUIDv7", "randomFill", "pbkdf2", "scrypt", "hkdf", "argon2", "generateKey"],
  ...["generateKeyPair", "generatePrime", "checkPrime"],
]);
Object.assign(crypto, {
  randomBytes: atOnce("crypto.randomBytes", (size: number) => fill(Buffer.alloc(size))),
  randomInt: atOnce("crypto.randomInt", (first: number, second?: number) => {
    const [low, high] = second === undefined ? [0, first] : [first, second];
    return low + Math.floor(ask("randomInt").random() * (high - low));
  }),
  randomFillSync: fill,
});
syncBuiltinESMExports();
