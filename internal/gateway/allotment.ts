import { Code, ErrorReason, HeddleError, overloaded, storeUnavailable } from "../base/heddle-error.ts";

/** How long a client should wait when every push server is full, in milliseconds. */
const FULL_RETRY_MS = 5_000;

/** A push server, as far as allotting goes. */
export interface Allottable {
  readonly name: string;
  /** Sessions that it holds, as it told last. */
  readonly load: number;
  /** When it told that, in ms of any clock: another moment each time. Left out where the load is that of now. */
  readonly loadAtMs?: number;
  readonly capacity: number;
}

/**
 * Allots push servers: the one with more room of two by chance, so that gateways which know the same old loads do not
 * all choose the same one. What was allotted since a server told its load is counted as if it were there.
 */
export class Allotment {
  readonly #random: () => number;
  readonly #since = new Map<string, { readonly loadAtMs: number; count: number }>();

  /** `random`: in [0, 1). */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * Throws UNAVAILABLE / STORE_UNAVAILABLE (`registry`) when none is registered, RESOURCE_EXHAUSTED / OVERLOADED
   * (`sessions`) when all are full. `isAvoided`: not while another one has room.
   */
  allot<S extends Allottable>(servers: readonly S[], isAvoided: (server: S) => boolean = () => false): S {
    if (servers.length === 0) throw storeUnavailable("registry");
    const all = servers.filter((server) => this.#room(server) > 0);
    const others = all.filter((server) => !isAvoided(server));
    const open = others.length > 0 ? others : all;
    const first = this.#pick(open);
    if (!first) throw overloaded("sessions", FULL_RETRY_MS);
    const second = this.#pick(open.filter((server) => server !== first));
    const best = second && this.#room(second) > this.#room(first) ? second : first;
    this.#note(best, servers);
    return best;
  }

  #pick<S>(from: readonly S[]): S | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }

  #room({ name, load, loadAtMs, capacity }: Allottable): number {
    const since = this.#since.get(name);
    return capacity - load - (since && since.loadAtMs === loadAtMs ? since.count : 0);
  }

  /** Of servers that are gone nothing is kept. */
  #note({ name, loadAtMs }: Allottable, servers: readonly Allottable[]): void {
    if (loadAtMs === undefined) return;
    const since = this.#since.get(name);
    if (since?.loadAtMs === loadAtMs) since.count++;
    else this.#since.set(name, { loadAtMs, count: 1 });
    if (this.#since.size <= servers.length) return;
    const names = new Set(servers.map((server) => server.name));
    for (const one of this.#since.keys()) if (!names.has(one)) this.#since.delete(one);
  }
}

/** FAILED_PRECONDITION / NO_SESSION: the client opens a new one. */
export function noSession(): HeddleError {
  const text = "no such session here: open a new one";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.NO_SESSION, text);
}
