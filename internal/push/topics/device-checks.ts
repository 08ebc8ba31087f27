import type { Clock } from "../../base/clock.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import { CallGate } from "../call-gate.ts";
import { DEVICES_MS, READS_AT_ONCE, SUBMIT_DEVICE_MS } from "../limits.ts";
import { PacedCall } from "../paced-call.ts";
import type { Threads } from "../ports.ts";
import type { OnlineUser } from "./online-user.ts";

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
    this.stop(user);
    const revoke = (deviceIds: readonly string[]) => {
      this.#calls.delete(user);
      for (const deviceId of deviceIds) user.revoke(deviceId);
      return true;
    };
    const call = new PacedCall<readonly string[]>({
      clock: this.#init.clock,
      gate: this.#gate,
      ask: () => this.#revoked(user.userId, user.deviceIds, DEVICES_MS),
      takeAnswer: revoke,
      notFound: () => revoke([]),
    });
    this.#calls.set(user, call);
  }

  /** Whether a device was revoked whose session is not held here. Rejects with STORE_UNAVAILABLE, in time for a Submit. */
  async isRevoked(userId: string, deviceId: string): Promise<boolean> {
    return (await this.#revoked(userId, [deviceId], SUBMIT_DEVICE_MS)).length > 0;
  }

  #revoked(userId: string, deviceIds: readonly string[], limitMs: number): Promise<readonly string[]> {
    const { deadlines, threads } = this.#init;
    return deadlines.bound(threads.revoked(userId, deviceIds), limitMs, () => storeUnavailable("thread"));
  }

  /** The user has no session any more, or nothing that is found out now would be sure. */
  stop(user: OnlineUser): void {
    this.#calls.get(user)?.stop();
    this.#calls.delete(user);
  }
}
