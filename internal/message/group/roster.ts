import {
  type GroupChange,
  type JoinedMember,
  MAX_CHANGE,
  MAX_MEMBERS,
  type Member,
  type Roster,
  type RosterEntry,
  SMALL_GROUP_MEMBERS,
} from "../../base/group.ts";
import { invalidField, threadNotFound } from "../../base/heddle-error.ts";
import { groupFull, lastOwner, memberNotFound, ownerRequired } from "./refusals.ts";

/** A group before its first entry. */
export const EMPTY_ROSTER: Roster = { appliedSeq: 0, name: "", isLarge: false, members: new Map() };

/** What a member or setting entry will say, before it has a place in the log. */
export type Draft = Pick<RosterEntry, "name" | "added" | "removed" | "changed" | "memberCount" | "isLarge">;

/** What a draft says where it says nothing else. */
type Difference = Partial<Pick<Draft, "name" | "added" | "removed" | "changed">>;

/**
 * Judges what `userId` asks of a group by its roster as of the head. Undefined if nothing would be different. Throws the
 * refusal: THREAD_NOT_FOUND to one who is no member, OWNER_REQUIRED, MEMBER_NOT_FOUND, LAST_OWNER, GROUP_FULL.
 */
export function judgeChange(roster: Roster, userId: string, change: GroupChange): Draft | undefined {
  if (change.kind === "create") return roster.appliedSeq === 0 ? creation(userId, change) : undefined;
  const caller = roster.members.get(userId);
  if (!caller) throw threadNotFound();
  switch (change.kind) {
    case "add":
      return addition(roster, change.userIds);
    case "remove":
      return removal(roster, caller, change.userIds);
    case "leave":
      return draft(roster, { removed: [userId], changed: heir(roster, userId) });
    case "role":
      return newRole(roster, caller, change);
    case "rename":
      return change.name === roster.name ? undefined : draft(roster, { name: change.name });
  }
}

/** The roster after one more entry. One who comes stands last in the order of joining. */
export function applyEntry(roster: Roster, entry: RosterEntry): Roster {
  const members = new Map<string, JoinedMember>(roster.members);
  for (const userId of entry.removed) members.delete(userId);
  for (const { userId, role } of entry.changed) {
    const member = members.get(userId);
    if (member) members.set(userId, { ...member, role });
  }
  for (const { userId, role } of entry.added) {
    members.delete(userId);
    members.set(userId, { userId, role, joinedSeq: entry.seq });
  }
  return { appliedSeq: entry.seq, name: entry.name ?? roster.name, isLarge: entry.isLarge, members };
}

function creation(userId: string, { name, userIds }: { name: string; userIds: readonly string[] }): Draft {
  const others = distinct(userIds).filter((other) => other !== userId);
  if (others.length >= MAX_CHANGE) throw invalidField("user_ids", `at most ${MAX_CHANGE - 1}`);
  const added: Member[] = [{ userId, role: "owner" }, ...others.map(plain)];
  return draft(EMPTY_ROSTER, { name, added });
}

function addition(roster: Roster, userIds: readonly string[]): Draft | undefined {
  const added = distinct(userIds)
    .filter((userId) => !roster.members.has(userId))
    .map(plain);
  if (added.length === 0) return undefined;
  if (added.length > MAX_CHANGE) throw invalidField("user_ids", `at most ${MAX_CHANGE}`);
  if (roster.members.size + added.length > MAX_MEMBERS) throw groupFull(MAX_MEMBERS);
  return draft(roster, { added });
}

function removal(roster: Roster, caller: Member, userIds: readonly string[]): Draft | undefined {
  if (caller.role !== "owner") throw ownerRequired();
  if (userIds.includes(caller.userId)) throw invalidField("user_ids", "not the caller's own");
  const removed = distinct(userIds).filter((userId) => roster.members.has(userId));
  if (removed.length > MAX_CHANGE) throw invalidField("user_ids", `at most ${MAX_CHANGE}`);
  return removed.length > 0 ? draft(roster, { removed }) : undefined;
}

function newRole(roster: Roster, caller: Member, { userId, role }: Member): Draft | undefined {
  if (caller.role !== "owner") throw ownerRequired();
  const member = roster.members.get(userId);
  if (!member) throw memberNotFound(userId);
  if (member.role === role) return undefined;
  if (role !== "owner" && !hasOwnerBesides(roster, userId)) throw lastOwner();
  return draft(roster, { changed: [{ userId, role }] });
}

/** Who becomes an owner when `userId`, the last one, leaves: the member of longest standing. */
function heir(roster: Roster, userId: string): Member[] {
  if (hasOwnerBesides(roster, userId)) return [];
  let oldest: JoinedMember | undefined;
  for (const member of roster.members.values()) {
    if (member.userId !== userId && (!oldest || standsLonger(member, oldest))) oldest = member;
  }
  return oldest ? [{ userId: oldest.userId, role: "owner" }] : [];
}

function standsLonger(a: JoinedMember, b: JoinedMember): boolean {
  return a.joinedSeq < b.joinedSeq || (a.joinedSeq === b.joinedSeq && a.userId < b.userId);
}

function hasOwnerBesides(roster: Roster, userId: string): boolean {
  for (const member of roster.members.values()) {
    if (member.role === "owner" && member.userId !== userId) return true;
  }
  return false;
}

function draft(roster: Roster, difference: Difference): Draft {
  const { name, added = [], removed = [], changed = [] } = difference;
  const memberCount = roster.members.size + added.length - removed.length;
  const isLarge = roster.isLarge || memberCount > SMALL_GROUP_MEMBERS;
  return { name, added, removed, changed, memberCount, isLarge };
}

function plain(userId: string): Member {
  return { userId, role: "member" };
}

function distinct(userIds: readonly string[]): string[] {
  return [...new Set(userIds)];
}
