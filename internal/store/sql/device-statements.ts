import { type Kysely, sql } from "kysely";
import { higher, NOW_MS, parameter, statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

type DeviceName = { readonly ownerId: string; readonly deviceId: string };

/** The statements of DeviceStore, compiled for the dialect of `db`. */
export function deviceStatements(db: Kysely<Tables>) {
  const ownerId = parameter<string>("ownerId");
  const deviceId = parameter<string>("deviceId");
  const owned = db.selectFrom("device").where("owner_id", "=", ownerId);
  const device = db.updateTable("device").where("owner_id", "=", ownerId).where("device_id", "=", deviceId);
  return {
    readDevice: statement<DeviceName>()(owned.selectAll().where("device_id", "=", deviceId)),
    countDevices: statement<{ ownerId: string }>()(
      owned.where("revoked_at_ms", "is", null).select(({ fn }) => fn.countAll<number>().as("count")),
    ),
    insertDevice: statement<DeviceName>()(
      db.insertInto("device").values({
        owner_id: ownerId,
        device_id: deviceId,
        created_at_ms: NOW_MS,
        last_opened_at_ms: NOW_MS,
      }),
    ),
    /** That it opened so long ago, which is never earlier than what is known. */
    openDevice: statement<DeviceName & { ageMs: number }>()(
      device.set({
        last_opened_at_ms: higher(
          "last_opened_at_ms",
          sql<number>`${NOW_MS} - ${parameter<number>("ageMs")}`,
        ),
      }),
    ),
    forgetDevice: statement<DeviceName>()(
      db.deleteFrom("device").where("owner_id", "=", ownerId).where("device_id", "=", deviceId),
    ),
    revokeDevice: statement<DeviceName>()(
      device.where("revoked_at_ms", "is", null).set({ revoked_at_ms: NOW_MS }),
    ),
    listDevices: statement<{ ownerId: string }>()(
      owned
        .selectAll()
        .select(NOW_MS.as("now_ms"))
        .where("revoked_at_ms", "is", null)
        .orderBy("last_opened_at_ms", "desc")
        .orderBy("device_id"),
    ),
  };
}
