import { create, toBinary } from "@bufbuild/protobuf";
import { hex } from "../base/ids.ts";
import { inbox, type Publication } from "../base/publication.ts";
import { HeadSchema } from "../gen/heddle/message/v1/entry_pb.js";
import { ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { type Thread, ThreadKind, ThreadSchema } from "../gen/heddle/thread/v1/thread_pb.js";
import type { ListedThread } from "./listed-threads.ts";

/** A row with its head as clients see it. */
export function toThread({ row, head }: ListedThread): Thread {
  return create(ThreadSchema, {
    threadId: row.threadId,
    kind: ThreadKind.DIRECT,
    participants: [...row.participants],
    createdAtMs: BigInt(row.createdAtMs),
    updatedAtMs: BigInt(row.updatedAtMs),
    isMuted: row.isMuted,
    head: create(HeadSchema, { seq: BigInt(head.seq), ordinal: BigInt(head.ordinal) }),
    readSeq: BigInt(row.readSeq),
    readOrdinal: BigInt(row.readOrdinal),
  });
}

/** Tells all devices of the row's owner how it is now. */
export function threadChanged(listed: ListedThread): Publication {
  const thread = toThread(listed);
  const { threadId, head } = thread;
  const value = { threadId, thread, ...(head ? { head } : {}) };
  const frame = create(ServerFrameSchema, { events: [{ kind: { case: "threadChanged", value } }] });
  return {
    kind: "thread_changed",
    topics: [inbox(listed.row.ownerId)],
    frame: toBinary(ServerFrameSchema, frame),
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
