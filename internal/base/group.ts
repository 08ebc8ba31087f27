/**
 * Groups, as the services speak of them (docs/design.md, sections 5 to 7). The log is the truth: member and setting
 * entries, each of which names the one before. SQL holds their projection.
 */

/** What a member of a group may do. */
export type Role = "owner" | "member";

/** Members of a group at most: a view of all is kept in memory by the server that judges its sends. */
export const MAX_MEMBERS = 10_000;
/** Members that one entry may add or remove, and with which a group may begin. */
export const MAX_CHANGE = 256;
/** With more members than this a group becomes large, and stays so (docs/design.md, section 6). */
export const SMALL_GROUP_MEMBERS = 256;
/** Large groups of one user, at most; enforced on joining one. */
export const MAX_LARGE_GROUPS = 100;

/** Spans of membership of one user in one group, at most; adding the user once more is refused. */
export const MAX_SPANS = 64;

/** A time in which a user was a member: what of the log it may see. */
export interface Span {
  /** The entry by which the user came. */
  readonly firstSeq: number;
  /** The entry by which it went. */
  readonly lastSeq: number;
}

/** A member with its role. */
export interface Member {
  readonly userId: string;
  readonly role: Role;
}

/** A member of a group, with the first entry that it sees. */
export interface JoinedMember extends Member {
  readonly joinedSeq: number;
}

/** A member as a list of members shows it. */
export interface ListedMember extends JoinedMember {
  /** Its spans of membership before this one, ascending. */
  readonly earlier: readonly Span[];
}

/** The group as of its member or setting entry `appliedSeq`: what sends are judged by. */
export interface Roster {
  /** The seq of the last member or setting entry in it; 0 before the first. Equal to a head's membersSeq: as of it. */
  readonly appliedSeq: number;
  readonly name: string;
  /** One-way: the group has had more than SMALL_GROUP_MEMBERS members. */
  readonly isLarge: boolean;
  /** By user_id, in the order of joining. */
  readonly members: ReadonlyMap<string, JoinedMember>;
}

/** A member or setting entry, as it changes the projection. */
export interface RosterEntry {
  /** 16 bytes. */
  readonly threadId: Uint8Array;
  readonly seq: number;
  /** The ordinal there: what a newcomer has not to read, and where a leaver's view ends. */
  readonly ordinal: number;
  /** The seq of the last member or setting entry before it; 0 for the first. */
  readonly previousSeq: number;
  readonly createdAtMs: number;
  /** Who did it, and under which request_id (16 bytes). */
  readonly sender: string;
  readonly requestId: Uint8Array;
  /** The name from here on; undefined: as before. */
  readonly name: string | undefined;
  readonly added: readonly Member[];
  readonly removed: readonly string[];
  readonly changed: readonly Member[];
  /** After it. */
  readonly memberCount: number;
  readonly isLarge: boolean;
}

/** What somebody asks of a group; judged, and made an entry, at a head (docs/design.md, section 5, Judged at H). */
export type GroupChange =
  | { readonly kind: "create"; readonly name: string; readonly userIds: readonly string[] }
  | { readonly kind: "add"; readonly userIds: readonly string[] }
  | { readonly kind: "remove"; readonly userIds: readonly string[] }
  | { readonly kind: "leave" }
  | { readonly kind: "role"; readonly userId: string; readonly role: Role }
  | { readonly kind: "rename"; readonly name: string };
