import type { Role, Span } from "../base/group.ts";

/**
 * The store of thread rows and devices (docs/design.md, section 6). Implementations: sqlite/ (embedded) and postgres/;
 * both pass thread-store.suite.ts, with two programs on one database. Times come from the store's own clock.
 */

/** How long a touch makes a row part of every sync, in milliseconds, by the store's clock. */
export const ACTIVE_MS = 60_000;

/** One user's view of a thread. */
export interface ThreadRow {
  readonly ownerId: string;
  /** 16 bytes. */
  readonly threadId: Uint8Array;
  readonly kind: "direct" | "group";
  /** Both users of a direct thread, in byte order; empty for a group. */
  readonly participants: readonly string[];
  /** Whether the owner has blocked the other one of a direct thread. */
  readonly isBlocked: boolean;
  /** For a group; else undefined. */
  readonly group: GroupView | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly isMuted: boolean;
  readonly readSeq: number;
  readonly readOrdinal: number;
  /** A hint where the head is; never lowered. */
  readonly headBucket: number;
  /** From the owner's counter; unique and growing per owner. */
  readonly version: number;
  readonly activeUntilMs: number;
}

/** What a group's row says of the group: as it is for a member, as it was at the leaving entry for one who left. */
export interface GroupView {
  readonly name: string;
  readonly memberCount: number;
  readonly isLarge: boolean;
  /** Undefined for one who left. */
  readonly role: Role | undefined;
  /** The owner's spans of membership before the one that begins at joinedSeq, ascending. */
  readonly earlier: readonly Span[];
  /** The entry by which the owner came last. */
  readonly joinedSeq: number;
  /** The newest member or setting entry that is in this view. */
  readonly membersSeq: number;
  /** The last entry that the owner may see, and the ordinal there; undefined for a member. */
  readonly left: { readonly seq: number; readonly ordinal: number } | undefined;
}

export interface Touch {
  readonly threadId: Uint8Array;
  readonly ownerIds: readonly string[];
  readonly headBucket: number;
}

export interface ReadPosition {
  readonly ownerId: string;
  readonly threadId: Uint8Array;
  readonly readSeq: number;
  readonly readOrdinal: number;
}

/**
 * One state of one history of the store. Every write raises `mark`; every start of the embedded store begins an era, as
 * an administrator does who has put a database back.
 */
export interface HistoryMark {
  /** Random, 1 … 2^48 − 1. */
  readonly era: number;
  /** How many transactions the history has had. */
  readonly mark: number;
}

export interface SyncPage {
  /** The state that the page is of. */
  readonly state: HistoryMark;
  /** The store's clock within the snapshot. */
  readonly nowMs: number;
  /** In ascending order of version. */
  readonly rows: readonly ThreadRow[];
  /** The large groups that the owner is a member of and that are not by their rows part of the sync, by thread_id. */
  readonly large: readonly ThreadRow[];
  /** Whether rows or large groups beyond the limit remain. */
  readonly hasMore: boolean;
  /** The owner's counter within the snapshot: no row of the owner has a higher version. */
  readonly version: number;
}

export interface Device {
  readonly deviceId: string;
  readonly createdAtMs: number;
  readonly lastOpenedAtMs: number;
}

/**
 * Every method rejects with HeddleError UNAVAILABLE / STORE_UNAVAILABLE when the store cannot serve; a write that
 * was rejected, or never answered, may have been or may yet be applied. Each write is one durable transaction,
 * takes the owners in ascending order, and takes each changed row's version from its owner's counter row within.
 */
export interface ThreadStore {
  /** Writes both rows of a direct thread; rows that exist stay as they are. */
  createDirect(threadId: Uint8Array, participants: readonly [string, string]): Promise<void>;
  /** Sets updated_at, active_until = now + ACTIVE_MS and takes a version, for every owner that has the row. */
  touch(touches: readonly Touch[]): Promise<void>;
  /** The owner's rows of these threads, in no order; those that do not exist are left out. */
  get(ownerId: string, threadIds: readonly Uint8Array[]): Promise<readonly ThreadRow[]>;
  /**
   * The owner's rows by (updated_at, thread_id) descending, below `before` if given. updated_at of a large group is
   * that of its activity row, if that is later.
   */
  list(
    ownerId: string,
    limit: number,
    before?: { readonly updatedAtMs: number; readonly threadId: Uint8Array },
  ): Promise<readonly ThreadRow[]>;
  /**
   * One snapshot: rows with version > cursor.version or active_until ≥ cursor.atMs (all, without a cursor), of
   * these the ones with version > afterVersion, by version, at most `limit`. Where they leave room, the large groups
   * that the owner is a member of and that are not of these rows, whatever their version, with thread_id > afterLarge.
   */
  sync(
    ownerId: string,
    cursor: { readonly version: number; readonly atMs: number } | undefined,
    afterVersion: number,
    limit: number,
    afterLarge?: Uint8Array,
  ): Promise<SyncPage>;
  /**
   * Whether the store's state has grown out of that one: its era is known, and had come as far as its mark. If not,
   * versions that were told then mean nothing now.
   */
  knows(state: HistoryMark): Promise<boolean>;
  /** Resolves to the row, or undefined if there is none. Takes a version only if that changed. */
  setMuted(ownerId: string, threadId: Uint8Array, isMuted: boolean): Promise<ThreadRow | undefined>;
  /** Raises read positions; a lower one than stored changes nothing and takes no version. */
  raiseRead(positions: readonly ReadPosition[]): Promise<void>;
}

/** Devices of users. In the same store as the thread rows. */
export interface DeviceStore {
  /**
   * Notes that a device opens a session. "revoked" if it was revoked, "full" if the user has MAX_DEVICES others. With
   * `live`, the devices that have a stream, the longest unused one of the others makes room: it is forgotten, which is
   * no revocation, and may come again. Then "full" means that all of them are live.
   */
  openDevice(
    ownerId: string,
    deviceId: string,
    live?: readonly string[],
  ): Promise<"open" | "revoked" | "full">;
  /** Notes that a device was in use until now. Nobody waits for it; what a crash loses is told anew by the next use. */
  noteUse(ownerId: string, deviceId: string): void;
  /** Those not revoked, the most recently opened first. */
  listDevices(ownerId: string): Promise<readonly Device[]>;
  /** Which of these were revoked. */
  revokedDevices(ownerId: string, deviceIds: readonly string[]): Promise<readonly string[]>;
  /** Resolves to false if the user has no such device. Revoking twice is fine. */
  revokeDevice(ownerId: string, deviceId: string): Promise<boolean>;
}

/** Devices a user may have at a time. */
export const MAX_DEVICES = 100;

/** Who sees a user's presence, among those who share a thread with the user. */
export type Visibility = "shared" | "nobody";

/** What users have set about who sees their presence. In the same store as the thread rows. */
export interface VisibilityStore {
  /** As set, or "shared". */
  readVisibility(ownerId: string): Promise<Visibility>;
  /** Resolves when it is stored. Of several calls at once any may be the last. */
  setVisibility(ownerId: string, visibility: Visibility): Promise<void>;
}
