import { create } from "@bufbuild/protobuf";
import { EMPTY_HEAD, encodeHead, type Head } from "../../../base/head.ts";
import type { Send } from "../../../base/send.ts";
import { type Body, BodySchema, type Entry, EntrySchema } from "../../../gen/heddle/message/v1/entry_pb.js";
import { decodeCell, encodeBody, voidBody } from "../../../message/cells/entry-cell.ts";
import { LogStore } from "../../../message/cells/log-store.ts";
import { sendTag, tagKey } from "../../../message/cells/send-tag.ts";
import type { PendingSend } from "../../../message/log/pending-sends.ts";
import type { EntryCellPut, MessageStore } from "../../../message/ports.ts";
import { Deadlines } from "../../../stream/deadlines.ts";
import { encodeCell } from "../../../wire/entry-bytes.ts";

/** A text as a body. */
export function textBody(text: string): Body {
  return create(BodySchema, { kind: { case: "text", value: { text } } });
}

/** A client_id that a test can read: 16 bytes, the last four say `n`. */
export function clientIdOf(n: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, n);
  return bytes;
}

/** The client_id of entry `seq` of a log made by `storeLog`: beyond those that tests number themselves. */
export function storedClientId(seq: number): Uint8Array {
  return clientIdOf(1_000_000 + seq);
}

/** What of a send a test cares about. */
export type SendSample = Partial<Omit<Send, "body">> & { readonly text?: string };

/** A first try of ann's to bob; `sample` says what is otherwise. */
export function sendOf(sample: SendSample = {}): Send {
  const { text = "hi", ...rest } = sample;
  return {
    userId: "ann",
    threadId: undefined,
    toUserId: rest.threadId ? "" : "bob",
    clientId: clientIdOf(1),
    baseSeq: 0,
    logEpoch: 0,
    attempt: 1,
    body: textBody(text),
    originSession: "",
    ...rest,
  };
}

/** What of a pending send a test cares about. */
export type PendingSample = Partial<Omit<PendingSend, "body" | "tag" | "tagKey">> & {
  readonly text?: string;
  /** Instead of the one made of sender and client_id. */
  readonly tag?: Uint8Array;
  /** Instead of the tag's: as of another tag that is equal in these bits. */
  readonly tagKey?: number;
};

/** A send that waits to be appended; `sample` says what is otherwise. */
export function pendingOf(sample: PendingSample = {}): PendingSend {
  const { text = "hi", kind = "message", userId = "ann", clientId = clientIdOf(1), baseSeq = 0 } = sample;
  const tag = sample.tag ?? sendTag(userId, clientId);
  return {
    kind,
    userId,
    clientId,
    tag,
    tagKey: sample.tagKey ?? tagKey(tag),
    baseSeq,
    searchedSeq: sample.searchedSeq ?? baseSeq,
    attempt: sample.attempt ?? 1,
    body: kind === "void" ? voidBody(userId, clientId) : encodeBody(textBody(text)),
    originSession: sample.originSession ?? "",
    expiresAtMs: sample.expiresAtMs ?? Number.MAX_SAFE_INTEGER,
    tried: sample.tried ?? false,
    settle: sample.settle ?? (() => {}),
  };
}

/** The cell of entry `seq` of a log made by `storeLog`: ann's text "entry <seq>", or longer. */
export function storedCell(seq: number, textBytes = 0): EntryCellPut {
  const clientId = storedClientId(seq);
  const body = encodeBody(textBody(`entry ${seq}`.padEnd(textBytes, ".")));
  const value = encodeCell({ sender: "ann", clientId, baseSeq: 0, ordinal: seq, createdAtMs: 7, body });
  return { seq, tag: sendTag("ann", clientId), value };
}

/** The Entry that a cell is for readers, by the general codec. */
export function entryOfCell(threadId: Uint8Array, seq: number, cell: Uint8Array): Entry {
  const { $typeName: _, payloadHash: __, ...shared } = decodeCell(cell);
  return create(EntrySchema, { ...shared, threadId, seq: BigInt(seq) });
}

/** A store, in rows of `bucketSize`, whose calls may take as long as they like. */
export function logStoreOf(store: MessageStore, bucketSize = 4): LogStore {
  return new LogStore(store, bucketSize, patience(), 1);
}

/** Deadlines that never come. */
export function patience(): Deadlines {
  return new Deadlines({ nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} });
}

/** Writes entries from + 1 … to into a thread that holds 1 … from, as another server would. */
export async function storeLog(
  store: MessageStore,
  threadId: Uint8Array,
  bucketSize: number,
  to: number,
  from = 0,
  textBytes = 0,
): Promise<void> {
  for (let seq = from; seq < to; ) {
    const bucket = Math.floor(seq / bucketSize);
    const last = Math.min(to, (bucket + 1) * bucketSize);
    const cells = Array.from({ length: last - seq }, (_, at) => storedCell(seq + 1 + at, textBytes));
    const { head } = await store.get({ threadId, bucket }, { head: true });
    const done = await store.checkAndPut({ threadId, bucket }, head, encodeHead(headAt(last)), cells);
    if (!done) throw new Error(`bucket ${bucket} has another head`);
    seq = last;
  }
}

/** The head of a log of `seq` messages. */
export function headAt(seq: number): Head {
  return { ...EMPTY_HEAD, seq, ordinal: seq };
}

/** Resolves when `read()` holds, trying after each turn of the event loop; rejects after 1,000 turns. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("it never came to hold");
}
