/**
 * Imported before everything else by the simulator's program: from then on nothing of this process reads its clock, its
 * random or its timers. What the simulation has an answer for comes from the seed; anything else throws.
 */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

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

/** Resolves when every microtask that could run has run. */
export function microtasksDone(): Promise<void> {
  return new Promise((resolve) => real.setImmediate(resolve));
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

function forbidden(what: string): () => never {
  return () => {
    throw new Error(`a simulated step used ${what}: give it a port`);
  };
}

function fill<T extends ArrayBufferView>(view: T): T {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const { random } = ask("random");
  for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(random() * 256);
  return view;
}

// Packages look at the clock while they are loaded: it stands still then.
Date.now = () => machine?.nowMs() ?? 0;
Math.random = () => ask("Math.random").random();
Object.assign(globalThis, {
  setImmediate: (run: () => void) => ask("setImmediate").soon(run),
  setTimeout: forbidden("setTimeout"),
  setInterval: forbidden("setInterval"),
});
performance.now = forbidden("performance.now");
AbortSignal.timeout = forbidden("AbortSignal.timeout");
globalThis.crypto.getRandomValues = fill as typeof globalThis.crypto.getRandomValues;
globalThis.crypto.randomUUID = forbidden("crypto.randomUUID");
for (const name of ["digest", "sign", "verify", "encrypt", "decrypt", "importKey", "generateKey"] as const) {
  Object.defineProperty(globalThis.crypto.subtle, name, { value: forbidden(`crypto.subtle.${name}`) });
}
Object.assign(crypto, {
  randomBytes: (size: number) => fill(Buffer.alloc(size)),
  randomInt: (low: number, high: number) => low + Math.floor(ask("randomInt").random() * (high - low)),
  randomFillSync: fill,
  randomUUID: forbidden("randomUUID"),
});
syncBuiltinESMExports();
