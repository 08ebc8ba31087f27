import type { deviceStatements } from "../sql/device-statements.ts";
import { type Device, MAX_DEVICES } from "../thread-store.ts";
import type { Opening } from "./device-openings.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/** The rows of devices, as the synchronous work of reads and transactions. */
export class DeviceRows {
  readonly #file: SqliteFile;
  readonly #statements: ReturnType<typeof deviceStatements>;

  constructor(file: SqliteFile, statements: ReturnType<typeof deviceStatements>) {
    this.#file = file;
    this.#statements = statements;
  }

  /** Whether the device is known, and may open. */
  state(ownerId: string, deviceId: string): "open" | "revoked" | "unknown" {
    const device = this.#file.get(this.#statements.readDevice, { ownerId, deviceId });
    if (!device) return "unknown";
    return device.revoked_at_ms === null ? "open" : "revoked";
  }

  /**
   * See DeviceStore.openDevice: for a device that was not known before this transaction. `longestUnused` says which one
   * may make room.
   */
  open(
    ownerId: string,
    deviceId: string,
    nowMs: number,
    longestUnused: () => string | undefined,
  ): "open" | "revoked" | "full" {
    const state = this.state(ownerId, deviceId);
    if (state !== "unknown") return state;
    const count = this.#file.get(this.#statements.countDevices, { ownerId })?.count ?? 0;
    if (count >= MAX_DEVICES) {
      const forgotten = longestUnused();
      if (forgotten === undefined) return "full";
      this.#file.run(this.#statements.forgetDevice, { ownerId, deviceId: forgotten });
    }
    this.#file.run(this.#statements.insertDevice, { ownerId, deviceId, nowMs });
    return "open";
  }

  /** Notes when devices opened. */
  opened(openings: readonly Opening[]): void {
    for (const { ownerId, deviceId, atMs } of openings) {
      this.#file.run(this.#statements.openDevice, { ownerId, deviceId, nowMs: atMs });
    }
  }

  /** See DeviceStore.listDevices. */
  list(ownerId: string): readonly Device[] {
    return this.#file.all(this.#statements.listDevices, { ownerId }).map((device) => ({
      deviceId: device.device_id,
      createdAtMs: device.created_at_ms,
      lastOpenedAtMs: device.last_opened_at_ms,
    }));
  }

  /** See DeviceStore.revokeDevice. */
  revoke(ownerId: string, deviceId: string, nowMs: number): boolean {
    if (!this.#file.get(this.#statements.readDevice, { ownerId, deviceId })) return false;
    this.#file.run(this.#statements.revokeDevice, { ownerId, deviceId, nowMs });
    return true;
  }
}
