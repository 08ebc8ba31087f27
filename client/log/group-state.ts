import type { Thread as WireThread } from "../../internal/gen/heddle/thread/v1/thread_pb.js";
import type { Entry, Role, Span } from "../model/model.ts";
import { toRole, toSpans } from "../transport/wire.ts";
import { spansAfterComing, spansAfterLeaving } from "./spans.ts";

/** What this device knows of a group, beside its log. JSON-friendly: it is kept with the row. */
export interface GroupState {
  readonly name: string;
  readonly memberCount: number;
  /** The user's own. */
  readonly role: Role | undefined;
  /** The entry by which the user came last. */
  readonly joinedSeq: number;
  /** When the user was a member, ascending. Not kept by earlier versions. */
  readonly spans?: readonly Span[];
  readonly hasLeft: boolean;
  readonly isLarge: boolean;
  /** The newest member or setting entry in it. */
  readonly membersSeq: number;
}

/**
 * What a row says of a group. A row from before the newest member or setting entry that was heard of says nothing: the
 * entry knows better.
 */
export function groupOfRow(wire: WireThread, known: GroupState | undefined): GroupState {
  const membersSeq = Number(wire.membersSeq);
  if (known && membersSeq < known.membersSeq) return known;
  return {
    name: wire.name,
    memberCount: wire.memberCount,
    role: toRole(wire.role),
    joinedSeq: Number(wire.joinedSeq),
    spans: toSpans(wire.spans),
    hasLeft: wire.hasLeft,
    isLarge: wire.isLarge,
    membersSeq,
  };
}

/** When the user was a member, as far as is known; of an older server or state the last span alone. */
export function spansOf({ spans = [], joinedSeq }: GroupState): readonly Span[] {
  return spans.length > 0 ? spans : [{ firstSeq: joinedSeq }];
}

/** The group after a member or setting entry. One that is in it already, or older, changes nothing. */
export function groupAfter(group: GroupState, entry: Entry, userId: string): GroupState {
  const { seq, body } = entry;
  if (seq <= group.membersSeq) return group;
  if (body.kind === "setting_change") return { ...group, name: body.name, membersSeq: seq };
  if (body.kind !== "member_change") return group;
  const own = [...body.added, ...body.changed].find((member) => member.userId === userId);
  const hasGone = body.removed.includes(userId);
  const hasCome = body.added.some((member) => member.userId === userId);
  const gone = hasGone ? spansAfterLeaving(spansOf(group), seq) : spansOf(group);
  return {
    ...group,
    name: body.name ?? group.name,
    memberCount: body.memberCount,
    role: hasGone ? undefined : (own?.role ?? group.role),
    joinedSeq: hasCome ? seq : group.joinedSeq,
    spans: hasCome ? spansAfterComing(gone, seq) : gone,
    hasLeft: hasGone || (group.hasLeft && !hasCome),
    isLarge: group.isLarge || body.isLarge,
    membersSeq: seq,
  };
}
