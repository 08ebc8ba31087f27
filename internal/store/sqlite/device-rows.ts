import type { deviceStatements } from "../sql/device-statements.ts";
import { type Device, MAX_DEVICES } from "../thread-store.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/** The rows of devices, as the synchronous work of reads and transactions. */
export class DeviceRows {
  readonly #file: SqliteFile;
  readonly #statements: ReturnType<typeof deviceStatements>;

  constructor(file: SqliteFile, statements: ReturnType<typeof deviceStatements>) {
    this.#file = file;
    this.#statements = statements;
  }

  /** See DeviceStore.openDevice. */
  open(ownerId: string, deviceId: string, nowMs: number): "open" | "revoked" | "full" {
    const device = this.#file.get(this.#statements.readDevice, { ownerId, deviceId });
    if (device) {
      if (device.revoked_at_ms !== null) return "revoked";
      this.#file.run(this.#statements.openDevice, { ownerId, deviceId, nowMs });
      return "open";
    }
    const count = this.#file.get(this.#statements.countDevices, { ownerId })?.count ?? 0;
    if (count >= MAX_DEVICES) return "full";
    this.#file.run(this.#statements.insertDevice, { ownerId, deviceId, nowMs });
    return "open";
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
