import type { Clock } from "../base/clock.ts";
import type { Mirror } from "./mirror.ts";
import type { PushServer } from "./push-servers.ts";
import { answered } from "./registration.ts";
import type { Registered, Registry } from "./registry.ts";

/** How often loads are asked for, in ms, and how long an answer is waited for. */
const LOADS_EVERY_MS = 2_000;

export interface MirroredPushServersInit {
  readonly registry: Registry;
  readonly clock: Clock;
  /** The push servers' own. Closed by its owner. */
  readonly mirror: Mirror;
}

/** A push server as a program of the mesh knows it. */
export interface MirroredPushServer extends PushServer {
  /** When the load was asked for, in monotonic ms; 0: not yet. */
  readonly loadAtMs: number;
  readonly isLeaving: boolean;
}

/** The push servers by a mirror of the registry, with the loads that they told last. */
export class MirroredPushServers {
  readonly #init: MirroredPushServersInit;
  #loads: ReadonlyMap<string, number> = new Map();
  #loadsAtMs = 0;
  #cancel = () => {};
  #isClosed = false;

  constructor(init: MirroredPushServersInit) {
    this.#init = init;
    void this.#askLoads();
  }

  /** Undefined while the mirror is not loaded; one that is stale says what it knew. */
  pushServers(): readonly MirroredPushServer[] | undefined {
    const { state, members } = this.#init.mirror.view();
    return state === "not_loaded" ? undefined : members.map((member) => this.#of(member));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #of({ name, state, details = {} }: Registered): MirroredPushServer {
    return {
      name,
      grpcUrl: details.grpcUrl ?? "",
      webUrl: details.webUrl ?? "",
      capacity: Number(details.capacity ?? 0),
      load: this.#loads.get(name) ?? 0,
      loadAtMs: this.#loadsAtMs,
      isLeaving: state === "leaving",
    };
  }

  /** While the registry is away the loads told last count, and what was allotted since. */
  async #askLoads(): Promise<void> {
    const { registry, clock } = this.#init;
    try {
      this.#loads = await answered(clock, LOADS_EVERY_MS, registry.loads("push"));
      this.#loadsAtMs = clock.monotonicMs();
    } catch {
      // Asked again below.
    }
    if (!this.#isClosed) this.#cancel = clock.after(LOADS_EVERY_MS, () => void this.#askLoads());
  }
}

/** What a push server says of itself when it registers. */
export function pushServerDetails(
  server: Pick<PushServer, "grpcUrl" | "webUrl" | "capacity">,
): Readonly<Record<string, string>> {
  const { grpcUrl, webUrl, capacity } = server;
  return { grpcUrl, webUrl, capacity: String(capacity) };
}
