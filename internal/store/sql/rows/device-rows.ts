import { type Device, MAX_DEVICES } from "../../thread-store.ts";
import type { deviceStatements } from "../device-statements.ts";
import { all, get, lockOwners, run, type Work } from "../work.ts";
import type { DeviceOpenings, Opening } from "./device-openings.ts";

/** The rows of devices, as the work of reads and transactions. */
export class DeviceRows {
  readonly #statements: ReturnType<typeof deviceStatements>;
  readonly #openings: Pick<DeviceOpenings, "ageMs">;

  /** `openings`: what waits to be written of this store's devices. */
  constructor(statements: ReturnType<typeof deviceStatements>, openings: Pick<DeviceOpenings, "ageMs">) {
    this.#statements = statements;
    this.#openings = openings;
  }

  /** Whether the device is known, and may open. */
  *state(ownerId: string, deviceId: string): Work<"open" | "revoked" | "unknown"> {
    const device = yield* get(this.#statements.readDevice, { ownerId, deviceId });
    if (!device) return "unknown";
    return device.revoked_at_ms === null ? "open" : "revoked";
  }

  /** See DeviceStore.openDevice: for a device that was not known before this transaction. */
  *open(
    ownerId: string,
    deviceId: string,
    live: readonly string[] | undefined,
  ): Work<"open" | "revoked" | "full"> {
    yield* lockOwners([ownerId]);
    const state = yield* this.state(ownerId, deviceId);
    if (state !== "unknown") return state;
    const count = (yield* get(this.#statements.countDevices, { ownerId }))?.count ?? 0;
    if (count >= MAX_DEVICES) {
      const unused = live && (yield* this.list(ownerId)).findLast((one) => !live.includes(one.deviceId));
      if (!unused) return "full";
      yield* run(this.#statements.forgetDevice, { ownerId, deviceId: unused.deviceId });
    }
    yield* run(this.#statements.insertDevice, { ownerId, deviceId });
    return "open";
  }

  /** Notes when devices opened. In one order, or two transactions could wait for each other for ever. */
  *opened(openings: readonly Opening[]): Work<void> {
    for (const { ownerId, deviceId, ageMs } of openings.toSorted(byName)) {
      yield* run(this.#statements.openDevice, { ownerId, deviceId, ageMs });
    }
  }

  /** See DeviceStore.listDevices. Openings that wait are in; equal times stay in the order of names. */
  *list(ownerId: string): Work<readonly Device[]> {
    const devices = (yield* all(this.#statements.listDevices, { ownerId })).map((device) => {
      const ageMs = this.#openings.ageMs(ownerId, device.device_id);
      return {
        deviceId: device.device_id,
        createdAtMs: device.created_at_ms,
        lastOpenedAtMs: ageMs === undefined ? device.last_opened_at_ms : device.now_ms - ageMs,
      };
    });
    return devices.sort((a, b) => b.lastOpenedAtMs - a.lastOpenedAtMs || (a.deviceId < b.deviceId ? -1 : 1));
  }

  /** See DeviceStore.revokeDevice. */
  *revoke(ownerId: string, deviceId: string): Work<boolean> {
    if (!(yield* get(this.#statements.readDevice, { ownerId, deviceId }))) return false;
    yield* run(this.#statements.revokeDevice, { ownerId, deviceId });
    return true;
  }
}

function byName(a: Opening, b: Opening): number {
  if (a.ownerId !== b.ownerId) return a.ownerId < b.ownerId ? -1 : 1;
  return a.deviceId < b.deviceId ? -1 : 1;
}
