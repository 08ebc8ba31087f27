/** What a deployment says of the history that it serves (docs/design.md, section 5, Identity). */
export interface History {
  /** Random, made with the data. 16 bytes; empty where none is told. */
  readonly deploymentId: Uint8Array;
  /** 1 … MAX_LOG_EPOCH: since it began the logs have not been put back. 0 where none is told. */
  readonly logEpoch: number;
}

/** 42 bits: what six bytes of a varint hold. */
export const MAX_LOG_EPOCH = 2 ** 42 - 1;

/** Of parts that are tested without one. */
export const NO_HISTORY: History = { deploymentId: new Uint8Array(0), logEpoch: 0 };

/** What tells an entry from any other that might stand at its place, were the history another one. */
export interface EntryName {
  readonly seq: number;
  readonly ordinal: number;
  readonly baseSeq: number;
  readonly createdAtMs: number;
  readonly clientId: Uint8Array;
  readonly sender: string;
}

/**
 * The bytes over which the hash of a held entry is made (CompareHeldRequest.Held). Not the body: it may be erased. The
 * time is part of it, because the same send may be appended at the same place again after the log was put back.
 */
export function entryNameBytes(threadId: Uint8Array, entry: EntryName): Uint8Array<ArrayBuffer> {
  const { seq, ordinal, baseSeq, createdAtMs, clientId } = entry;
  const sender = new TextEncoder().encode(entry.sender);
  const bytes = new Uint8Array(threadId.length + 33 + clientId.length + sender.length);
  const view = new DataView(bytes.buffer);
  let at = threadId.length;
  bytes.set(threadId);
  for (const number of [seq, ordinal, baseSeq, createdAtMs]) {
    view.setBigUint64(at, BigInt(number));
    at += 8;
  }
  bytes[at++] = clientId.length;
  bytes.set(clientId, at);
  bytes.set(sender, at + clientId.length);
  return bytes;
}
