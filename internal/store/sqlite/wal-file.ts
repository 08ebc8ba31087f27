/**
 * SQLite's write-ahead file, looked at before SQLite opens it: that takes a frame with a wrong checksum for the end and
 * drops what was committed behind it, without a word.
 *
 * A header of 32 bytes, then frames: page (4), size of the database in pages where a transaction ends, else 0 (4), two
 * salts that all frames of a round share with the header (8), a checksum (8) that goes on from the frame before, the
 * page's bytes. Behind the last frame of this round may stand frames of earlier ones. Numbers are big-endian.
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The lowest bit says whether checksums take their words big-endian. */
const MAGIC = 0x377f0682;

/** How a write-ahead file ends: `torn` where its last transaction, of which nobody was told, was not written to its end. */
export type WalEnd = "whole" | "torn" | { readonly damaged: string };

/** Judges the bytes of a write-ahead file. */
export function walEnd(bytes: Uint8Array): WalEnd {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.byteLength <= HEADER_BYTES)
    return file.byteLength < HEADER_BYTES && file.byteLength > 0 ? "torn" : "whole";
  const magic = file.getUint32(0);
  const littleEndian = magic === MAGIC;
  const start = checksum(file, 0, 24, [0, 0], littleEndian);
  const isHeader = (littleEndian || magic === MAGIC + 1) && holds(file, 24, start);
  if (!isHeader) return { damaged: "the header of the write-ahead file is wrong" };

  const frameBytes = FRAME_HEADER_BYTES + file.getUint32(8);
  let before = start;
  for (let at = HEADER_BYTES; at + frameBytes <= file.byteLength; at += frameBytes) {
    const own = checksum(file, at, 8, before, littleEndian);
    const sum = checksum(file, at + FRAME_HEADER_BYTES, frameBytes - FRAME_HEADER_BYTES, own, littleEndian);
    if (!isOfRound(file, at) || !holds(file, at + 16, sum)) return judge(file, at, frameBytes);
    before = sum;
  }
  return "whole";
}

/**
 * Transactions are synced one after the other, so only the last can be torn: live frames behind the transaction that
 * holds the bad frame mean damage.
 */
function judge(file: DataView, bad: number, frameBytes: number): WalEnd {
  let isLive = isOfRound(file, bad);
  let hasEnd = isLive && file.getUint32(bad + 4) > 0;
  for (let at = bad + frameBytes; at + frameBytes <= file.byteLength; at += frameBytes) {
    if (!isOfRound(file, at)) continue;
    if (hasEnd) return { damaged: `the frame at byte ${bad} of the write-ahead file is wrong` };
    isLive = true;
    hasEnd = file.getUint32(at + 4) > 0;
  }
  return isLive ? "torn" : "whole";
}

function isOfRound(file: DataView, at: number): boolean {
  return file.getUint32(at + 8) === file.getUint32(16) && file.getUint32(at + 12) === file.getUint32(20);
}

type Sum = readonly [number, number];

function holds(file: DataView, at: number, [first, second]: Sum): boolean {
  return file.getUint32(at) === first && file.getUint32(at + 4) === second;
}

function checksum(file: DataView, from: number, bytes: number, [a, b]: Sum, littleEndian: boolean): Sum {
  let first = a;
  let second = b;
  for (let at = from; at < from + bytes; at += 8) {
    first = (first + file.getUint32(at, littleEndian) + second) >>> 0;
    second = (second + file.getUint32(at + 4, littleEndian) + first) >>> 0;
  }
  return [first, second];
}
