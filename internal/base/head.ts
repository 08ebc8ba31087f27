/**
 * The head of a thread: 32 bytes, four uint64, big-endian, changed only by compare-and-set
 * (docs/design.md, sections 1 and 5). Numbers are exact up to 2^53 − 1.
 */
export interface Head {
  /** The highest committed seq; 0 for an empty thread. */
  readonly seq: number;
  /** How many of 1..seq are messages. */
  readonly ordinal: number;
  /** The seq of the last member or setting entry; 0 if none. */
  readonly membersSeq: number;
  /** Raised by what sends must be judged against but is not an entry. */
  readonly epoch: number;
}

/** The head of a thread without entries. */
export const EMPTY_HEAD: Head = { seq: 0, ordinal: 0, membersSeq: 0, epoch: 0 };

/** Bytes of an encoded head. */
export const HEAD_BYTES = 32;

/** Entries in one row of the message log. Buckets count from 0. */
export const BUCKET_SIZE = 512;

const TWO_32 = 2 ** 32;

/** A head as the store keeps and compares it. */
export function encodeHead(head: Head): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  [head.seq, head.ordinal, head.membersSeq, head.epoch].forEach((value, at) => {
    view.setUint32(8 * at, Math.floor(value / TWO_32));
    view.setUint32(8 * at + 4, value % TWO_32);
  });
  return bytes;
}

/** Throws RangeError if the bytes are not a head. */
export function decodeHead(bytes: Uint8Array): Head {
  if (bytes.length !== HEAD_BYTES)
    throw new RangeError(`a head has ${HEAD_BYTES} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES);
  const at = (offset: number) => view.getUint32(offset) * TWO_32 + view.getUint32(offset + 4);
  return { seq: at(0), ordinal: at(8), membersSeq: at(16), epoch: at(24) };
}
