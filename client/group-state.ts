import type { Thread as WireThread } from "../internal/gen-web/heddle/thread/v1/thread_pb.js";
import type { Entry, Role } from "./model.ts";
import { toRole } from "./wire.ts";

/** What this device knows of a group, beside its log. JSON-friendly: it is kept with the row. */
export interface GroupState {
  readonly name: string;
  readonly memberCount: number;
  /** The user's own. */
  readonly role: Role | undefined;
  /** The first entry that the user may see. */
  readonly joinedSeq: number;
  readonly hasLeft: boolean;
  readonly isLarge: boolean;
  /** The newest member or setting entry in it; 0 while only a row has spoken. */
  readonly changedSeq: number;
  /** How far the log reached when the row was read that this began with. */
  readonly rowSeq: number;
}

/**
 * What a row says of a group. A row from before the newest member or setting entry that was heard of says nothing: the
 * entry knows better.
 */
export function groupOfRow(wire: WireThread, known: GroupState | undefined): GroupState {
  const rowSeq = Number(wire.head?.seq ?? 0n);
  if (known && rowSeq < known.changedSeq) return known;
  return {
    name: wire.name,
    memberCount: wire.memberCount,
    role: toRole(wire.role),
    joinedSeq: Number(wire.joinedSeq),
    hasLeft: wire.hasLeft,
    isLarge: wire.isLarge,
    changedSeq: known?.changedSeq ?? 0,
    rowSeq,
  };
}

/**
 * The group after a member or setting entry. One from before the newest that was heard of changes nothing, and neither
 * does history that the row has in it; a live one counts, since a row may be read a moment before its head.
 */
export function groupAfter(group: GroupState, entry: Entry, userId: string, isLive: boolean): GroupState {
  const { seq, body } = entry;
  if (seq <= group.changedSeq || (!isLive && seq < group.rowSeq)) return group;
  if (body.kind === "setting_change") return { ...group, name: body.name, changedSeq: seq };
  if (body.kind !== "member_change") return group;
  const own = [...body.added, ...body.changed].find((member) => member.userId === userId);
  const hasGone = body.removed.includes(userId);
  const hasCome = body.added.some((member) => member.userId === userId);
  return {
    ...group,
    name: body.name ?? group.name,
    memberCount: body.memberCount,
    role: hasGone ? undefined : (own?.role ?? group.role),
    joinedSeq: hasCome ? seq : group.joinedSeq,
    hasLeft: hasGone || (group.hasLeft && !hasCome),
    isLarge: group.isLarge || body.isLarge,
    changedSeq: seq,
  };
}
