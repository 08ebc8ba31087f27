import type { Seen } from "./history.ts";

/** A device that has no session, nor tries to get one. */
const GONE = /^(offline|crashed|signed-out|none)$/;

interface State {
  readonly user: string;
  phase: string;
  /** Since when it is in that phase, or, of what goes together (`live` and `draining`, all that is gone), in such. */
  sinceMs: number;
  /** Until then something is wrong with it. */
  wrongUntilMs: number;
}

/** Who is there, and how well all is, as far as a history has been read. Times are those of the history, in ms. */
export class Whereabouts {
  readonly #devices = new Map<string, State>();
  readonly #users = new Map<string, State[]>();
  #wrongUntilMs: number;

  constructor(history: readonly Seen[]) {
    const beginMs = history[0]?.atMs ?? 0;
    this.#wrongUntilMs = beginMs;
    for (const { device, user } of history) {
      if (device === "" || this.#devices.has(device)) continue;
      const state: State = { user, phase: "none", sinceMs: beginMs, wrongUntilMs: 0 };
      this.#devices.set(device, state);
      this.#users.set(user, [...(this.#users.get(user) ?? []), state]);
    }
  }

  /** Reads one line on. */
  read(seen: Seen): void {
    if (seen.type === "trouble") {
      const untilMs = seen.atMs + seen.forMs;
      const state = this.#devices.get(seen.device);
      if (state) state.wrongUntilMs = Math.max(state.wrongUntilMs, untilMs);
      else this.#wrongUntilMs = Math.max(this.#wrongUntilMs, untilMs);
    } else if (seen.type === "begin") this.#enter(seen, "connecting");
    else if (seen.type === "phase") this.#enter(seen, seen.phase);
  }

  /** Since when nothing befell the servers, the network between them, or the stores. In the future: something does. */
  get quietSinceMs(): number {
    return this.#wrongUntilMs;
  }

  /** Since when the device is connected and well; undefined: it is not. In the future: it is not well. */
  liveSinceMs(device: string): number | undefined {
    const state = this.#devices.get(device);
    return state && liveSinceMs(state);
  }

  /** Since when a device of the user is connected and well: the one that is so for longest. */
  thereSinceMs(user: string): number | undefined {
    const since = (this.#users.get(user) ?? []).flatMap((state) => liveSinceMs(state) ?? []);
    return since.length > 0 ? Math.min(...since) : undefined;
  }

  /** Since when no device of the user has a session or tries to get one; undefined: one may. */
  goneSinceMs(user: string): number | undefined {
    const states = this.#users.get(user) ?? [];
    if (!states.every(({ phase }) => GONE.test(phase))) return undefined;
    return Math.max(...states.map(({ sinceMs }) => sinceMs));
  }

  #enter({ device, atMs }: Seen, phase: string): void {
    const state = this.#devices.get(device);
    if (!state) return;
    const isSame = (isLive(state.phase) && isLive(phase)) || (GONE.test(state.phase) && GONE.test(phase));
    if (!isSame) state.sinceMs = atMs;
    state.phase = phase;
  }
}

function isLive(phase: string): boolean {
  return phase === "live" || phase === "draining";
}

function liveSinceMs({ phase, sinceMs, wrongUntilMs }: State): number | undefined {
  return isLive(phase) ? Math.max(sinceMs, wrongUntilMs) : undefined;
}
