import type { Clock } from "../base/clock.ts";
import { storeUnavailable } from "../base/heddle-error.ts";
import type { Deadlines } from "../stream/deadlines.ts";
import { CallGate } from "./call-gate.ts";
import { DEVICES_MS, READS_AT_ONCE } from "./limits.ts";
import type { OnlineUser } from "./online-user.ts";
import { PacedCall } from "./paced-call.ts";
import type { Threads } from "./ports.ts";

export interface DeviceChecksInit {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly threads: Pick<Threads, "revoked">;
}

/**
 * Looks whether the devices of online users were revoked. A ticket may be older than that, and so may a subscription: a
 * device is looked at after its user's inbox has been subscribed to, so that either this or the publication ends its
 * streams (docs/design.md, section 4).
 */
export class DeviceChecks {
  readonly #init: DeviceChecksInit;
  readonly #gate = new CallGate(READS_AT_ONCE);
  readonly #calls = new Map<OnlineUser, PacedCall<readonly string[]>>();

  constructor(init: DeviceChecksInit) {
    this.#init = init;
  }

  /** Looks at all of the user's devices, and ends the sessions of those that were revoked. */
  check(user: OnlineUser): void {
    const { clock, deadlines, threads } = this.#init;
    this.stop(user);
    const revoke = (deviceIds: readonly string[]) => {
      this.#calls.delete(user);
      for (const deviceId of deviceIds) user.revoke(deviceId);
      return true;
    };
    const late = () => storeUnavailable("threads");
    const call = new PacedCall<readonly string[]>({
      clock,
      gate: this.#gate,
      ask: () => deadlines.bound(threads.revoked(user.userId, user.deviceIds), DEVICES_MS, late),
      take: revoke,
      notFound: () => revoke([]),
    });
    this.#calls.set(user, call);
  }

  /** The user has no session any more, or nothing that is found out now would be sure. */
  stop(user: OnlineUser): void {
    this.#calls.get(user)?.stop();
    this.#calls.delete(user);
  }
}
