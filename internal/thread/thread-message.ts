import { create } from "@bufbuild/protobuf";
import type { Role, Span } from "../base/group.ts";
import { hex } from "../base/ids.ts";
import { inbox, type Publication } from "../base/publication.ts";
import { directThreadId } from "../base/thread-id.ts";
import { HeadSchema, MemberRole } from "../gen/heddle/message/v1/entry_pb.js";
import {
  type MembershipSpan,
  MembershipSpanSchema,
  type Thread,
  ThreadKind,
  ThreadSchema,
} from "../gen/heddle/thread/v1/thread_pb.js";
import { threadChangedFrame } from "../wire/event-frames.ts";
import type { ListedThread } from "./listed-threads.ts";
import type { GroupView } from "./ports.ts";

/** A row with its head as clients see it. */
export function toThread({ row, head, read, isDamaged = false }: ListedThread): Thread {
  return create(ThreadSchema, {
    threadId: row.threadId,
    kind: row.kind === "direct" ? ThreadKind.DIRECT : ThreadKind.GROUP,
    participants: [...row.participants],
    createdAtMs: BigInt(row.createdAtMs),
    updatedAtMs: BigInt(row.updatedAtMs),
    isMuted: row.isMuted,
    ...((!isDamaged || head.seq > 0) && {
      head: create(HeadSchema, { seq: BigInt(head.seq), ordinal: BigInt(head.ordinal) }),
    }),
    isDamaged,
    readSeq: BigInt(read?.readSeq ?? row.readSeq),
    readOrdinal: BigInt(read?.readOrdinal ?? row.readOrdinal),
    ...(read && { unread: read.unread }),
    isBlocked: row.isBlocked,
    ...(row.group ? groupFields(row.group) : {}),
  });
}

function groupFields({ name, memberCount, isLarge, role, joinedSeq, membersSeq, left, earlier }: GroupView) {
  return {
    spans: toWireSpans(earlier, joinedSeq, left?.seq),
    name,
    memberCount,
    isLarge,
    role: role ? toWireRole(role) : MemberRole.UNSPECIFIED,
    joinedSeq: BigInt(joinedSeq),
    membersSeq: BigInt(membersSeq),
    hasLeft: left !== undefined,
  };
}

/** Spans of membership as clients see them: the last, which begins at `joinedSeq`, ends at `leftSeq` or not yet. */
export function toWireSpans(earlier: readonly Span[], joinedSeq: number, leftSeq = 0): MembershipSpan[] {
  return [...earlier, { firstSeq: joinedSeq, lastSeq: leftSeq }].map(({ firstSeq, lastSeq }) =>
    create(MembershipSpanSchema, { firstSeq: BigInt(firstSeq), lastSeq: BigInt(lastSeq) }),
  );
}

/** A role as clients see it. */
export function toWireRole(role: Role): MemberRole {
  return role === "owner" ? MemberRole.OWNER : MemberRole.MEMBER;
}

/** A role as services speak of it. The rules of the schema leave no third. */
export function fromWireRole(role: MemberRole): Role {
  return role === MemberRole.OWNER ? "owner" : "member";
}

/** Tells all devices of the row's owner how it is now. */
export function threadChanged(listed: ListedThread): Publication {
  const thread = toThread(listed);
  const { threadId } = thread;
  return {
    kind: "thread_changed",
    topics: [inbox(listed.row.ownerId)],
    frame: threadChangedFrame(thread),
    thread: hex(threadId),
    seq: listed.head.seq,
    ordinal: listed.head.ordinal,
    userId: "",
    originSession: "",
  };
}

/** Tells push servers to end the sessions of a device. */
export function deviceRevoked(ownerId: string, deviceId: string): Publication {
  return {
    kind: "device_revoked",
    topics: [inbox(ownerId)],
    frame: new Uint8Array(0),
    thread: "",
    seq: 0,
    ordinal: 0,
    userId: "",
    originSession: "",
    deviceId,
  };
}

/** Tells the push servers of both whether either has blocked the other. */
export function blockChanged(a: string, b: string, isBlocked: boolean): Publication {
  return {
    kind: "block_changed",
    topics: [inbox(a), inbox(b)],
    frame: new Uint8Array(0),
    thread: hex(directThreadId(a, b)),
    seq: 0,
    ordinal: 0,
    userId: a,
    originSession: "",
    otherUserId: b,
    isBlocked,
  };
}
