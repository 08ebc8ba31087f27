import type { Generated } from "kysely";

/**
 * The tables of the thread store as queries see them (docs/design.md, section 6). Each dialect makes them in its own
 * migrations; names and meanings are the same. Times are Unix milliseconds by the store's clock.
 */
export interface Tables {
  /** One user's view of a thread. Never deleted: leaving sets `has_left`. */
  readonly thread: ThreadTable;
  /** One row per user who owns a thread row: where versions come from. */
  readonly owner: OwnerTable;
  readonly device: DeviceTable;
  /** To whom presence shows: a row per user who has ever set it. */
  readonly visibility: VisibilityTable;
  /** Facts about the database itself. */
  readonly meta: MetaTable;
}

export interface ThreadTable {
  owner_id: string;
  thread_id: Uint8Array;
  kind: "direct";
  /** The other participant of a direct thread; null for other kinds. */
  other_user_id: string | null;
  created_at_ms: number;
  updated_at_ms: number;
  /** 0 or 1. */
  is_muted: Generated<number>;
  /** 0 or 1. */
  has_left: Generated<number>;
  read_seq: Generated<number>;
  read_ordinal: Generated<number>;
  head_bucket: Generated<number>;
  version: number;
  active_until_ms: number;
}

export interface OwnerTable {
  owner_id: string;
  /** The highest version given to a row of the owner. */
  version: number;
}

export interface DeviceTable {
  owner_id: string;
  device_id: string;
  created_at_ms: number;
  last_opened_at_ms: number;
  /** Null until it is revoked; a revoked device never opens again. */
  revoked_at_ms: number | null;
}

export interface VisibilityTable {
  owner_id: string;
  visibility: "shared" | "nobody";
}

export interface MetaTable {
  name: string;
  value: number;
}
