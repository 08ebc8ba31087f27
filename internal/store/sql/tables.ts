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
  /** The projection of a group's member and setting entries: one row per group. */
  readonly group_thread: GroupTable;
  /** One row per member of a group. Who leaves has none: what it may see is in its thread row. */
  readonly member: MemberTable;
  /** Which entry each member or setting change made, for repeats of the request. */
  readonly group_change: GroupChangeTable;
  /** One row per large group, instead of touches of all its members. */
  readonly activity: ActivityTable;
  /** Which user has blocked which. */
  readonly block: BlockTable;
  readonly device: DeviceTable;
  /** What people call users: a row per user that something is known of. */
  readonly profile: ProfileTable;
  /** Who sees presence: a row per user who has ever set it. */
  readonly visibility: VisibilityTable;
  /** One row per start of the store, in their order: which histories this one has grown out of. */
  readonly era: EraTable;
  /** Facts about the database: `mark`, how many transactions it has had, `log_mark`, the message log's of which it knows. */
  readonly meta: MetaTable;
}

export interface ThreadTable {
  owner_id: string;
  thread_id: Uint8Array;
  kind: "direct" | "group";
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
  /** The first entry of a group that the owner may see; 0 for other kinds. */
  joined_seq: Generated<number>;
  /** The last entry that one who left may see, the ordinal there, and the group as it was then; null for a member. */
  left_seq: number | null;
  left_ordinal: number | null;
  left_name: string | null;
  left_member_count: number | null;
  /** The owner's spans of membership before the one of joined_seq, ascending: "first-last" of each, then a space. */
  earlier_spans: Generated<string>;
  /** 0 or 1: the group is large, or was when the owner left. */
  is_large: Generated<number>;
  /** Of a direct thread, 0 or 1: the owner has written a message in it. Null where nobody has noted it yet. */
  has_written: number | null;
}

export interface GroupTable {
  thread_id: Uint8Array;
  name: string;
  /** The seq of the last member or setting entry in the projection. */
  applied_seq: number;
  member_count: number;
  /** 0 or 1; never taken back. */
  is_large: number;
  created_at_ms: number;
}

export interface MemberTable {
  thread_id: Uint8Array;
  user_id: string;
  role: "owner" | "member";
  joined_seq: number;
  /** 0 or 1: has written a message since it joined, or has made the group. Null where nobody has noted it yet. */
  has_written: number | null;
  /** Who made the entry by which it joined; "" where that is too long ago; null as above. */
  added_by: string | null;
}

export interface GroupChangeTable {
  thread_id: Uint8Array;
  sender: string;
  request_id: Uint8Array;
  seq: number;
}

export interface ActivityTable {
  thread_id: Uint8Array;
  /** Never lowered, like head_bucket. */
  updated_at_ms: number;
  head_bucket: number;
}

export interface BlockTable {
  /** Who has blocked. */
  owner_id: string;
  other_user_id: string;
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

export interface ProfileTable {
  user_id: string;
  display_name: string;
  picture_url: string;
  /** 0 or 1: the user has set it, so that tokens do not. */
  is_own: number;
}

export interface EraTable {
  number: Generated<number>;
  /** Random, 48 bits, never 0. */
  era: number;
  /** The mark at its end; null for the era that runs. */
  last_mark: number | null;
}

export interface MetaTable {
  name: string;
  value: number;
}
