import { create, fromBinary } from "@bufbuild/protobuf";
import type { Publication } from "../../base/publication.ts";
import { type Receipt, ReceiptSchema } from "../../gen/heddle/message/v1/entry_pb.js";
import { ServerFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { eventFrame } from "../../wire/event-frames.ts";

/**
 * Two receipts of one user in one thread as one, with the higher of each position: two message servers may tell of them
 * in either order. The newer one itself where it says as much.
 */
export function highestReceipt(older: Publication, newer: Publication): Publication {
  const [a, b] = [receiptOf(older), receiptOf(newer)];
  if (!a || !b || (a.deliveredSeq <= b.deliveredSeq && a.readSeq <= b.readSeq)) return newer;
  const read = a.readSeq >= b.readSeq ? a : b;
  const deliveredSeq = a.deliveredSeq >= b.deliveredSeq ? a.deliveredSeq : b.deliveredSeq;
  const { readSeq, readOrdinal } = read;
  const value = create(ReceiptSchema, { ...b, deliveredSeq, readSeq, readOrdinal });
  return { ...newer, frame: eventFrame({ case: "receipt", value }) };
}

function receiptOf({ frame }: Publication): Receipt | undefined {
  const kind = fromBinary(ServerFrameSchema, frame).events[0]?.kind;
  return kind?.case === "receipt" ? kind.value : undefined;
}
