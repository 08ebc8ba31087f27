import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import type { GroupChange, Member, Roster, RosterEntry } from "../../base/group.ts";
import {
  type Body,
  BodySchema,
  type EntryCell,
  type MemberChange,
  MemberRole,
} from "../../gen/heddle/message/v1/entry_pb.js";
import type { EncodedBody } from "../cells/entry-cell.ts";

/**
 * What a member or setting entry's payload hash is made of: the request, since the body depends on the head at which it
 * is judged and a repeat does not. Stored hashes depend on it: kind and arguments as JSON, user_ids sorted and distinct.
 */
export function encodeRequest(change: GroupChange): EncodedBody {
  const bytes = Buffer.from(JSON.stringify(argumentsOf(change)));
  return { bytes, hash: createHash("sha256").update(bytes).digest(), isMessage: false };
}

function argumentsOf(change: GroupChange): readonly unknown[] {
  switch (change.kind) {
    case "create":
      return [change.kind, change.name, sorted(change.userIds)];
    case "add":
    case "remove":
      return [change.kind, sorted(change.userIds)];
    case "leave":
      return [change.kind];
    case "role":
      return [change.kind, change.userId, change.role];
    case "rename":
      return [change.kind, change.name];
  }
}

function sorted(userIds: readonly string[]): string[] {
  return [...new Set(userIds)].sort();
}

/** The encoded Body of a member or setting entry. */
export function entryBody(entry: RosterEntry): Uint8Array {
  const previousMembersSeq = BigInt(entry.previousSeq);
  const { name = "", removed, memberCount, isLarge } = entry;
  if (entry.previousSeq > 0 && entry.name !== undefined) {
    const value = { previousMembersSeq, name };
    return toBinary(BodySchema, create(BodySchema, { kind: { case: "settingChange", value } }));
  }
  const value = {
    previousMembersSeq,
    added: entry.added.map(toProto),
    removed: [...removed],
    changed: entry.changed.map(toProto),
    name,
    memberCount,
    isLarge,
  };
  return toBinary(BodySchema, create(BodySchema, { kind: { case: "memberChange", value } }));
}

/** The seq of the member or setting entry before this one; undefined if the body is of another kind. */
export function previousOf(body: Body | undefined): number | undefined {
  const kind = body?.kind;
  if (kind?.case !== "memberChange" && kind?.case !== "settingChange") return undefined;
  return Number(kind.value.previousMembersSeq);
}

/** Who comes and who goes with an entry. Undefined where its members stay as they are: for every other kind. */
export function memberChangeOf(
  body: Body | undefined,
): { readonly added: readonly string[]; readonly removed: readonly string[] } | undefined {
  if (body?.kind.case !== "memberChange") return undefined;
  const { added, removed } = body.kind.value;
  return { added: added.map(({ userId }) => userId), removed };
}

/** A stored member or setting entry as it changes the projection `before`. Throws RangeError if it is of another kind. */
export function rosterEntryOf(
  threadId: Uint8Array,
  seq: number,
  cell: EntryCell,
  before: Roster,
): RosterEntry {
  const kind = cell.body?.kind;
  const common = {
    threadId,
    seq,
    ordinal: Number(cell.ordinal),
    createdAtMs: Number(cell.createdAtMs),
    sender: cell.sender,
    requestId: cell.clientId,
  };
  if (kind?.case === "memberChange") return { ...common, ...differenceOf(kind.value) };
  if (kind?.case !== "settingChange") throw new RangeError(`seq ${seq} is no member or setting entry`);
  return {
    ...common,
    previousSeq: Number(kind.value.previousMembersSeq),
    name: kind.value.name,
    added: [],
    removed: [],
    changed: [],
    memberCount: before.members.size,
    isLarge: before.isLarge,
  };
}

function differenceOf(change: MemberChange) {
  const previousSeq = Number(change.previousMembersSeq);
  return {
    previousSeq,
    name: previousSeq === 0 ? change.name : undefined,
    added: change.added.map(fromProto),
    removed: change.removed,
    changed: change.changed.map(fromProto),
    memberCount: change.memberCount,
    isLarge: change.isLarge,
  };
}

function toProto({ userId, role }: Member) {
  return { userId, role: role === "owner" ? MemberRole.OWNER : MemberRole.MEMBER };
}

function fromProto({ userId, role }: { userId: string; role: MemberRole }): Member {
  return { userId, role: role === MemberRole.OWNER ? "owner" : "member" };
}
