import { crc32c, maskCrc } from "./crc32c.ts";

/**
 * LevelDB's files of records, the write-ahead logs and the MANIFEST, read by ourselves: LevelDB leaves out a record
 * whose checksum is wrong and goes on, with no word to anyone.
 *
 * A file is a row of blocks of 32 KiB. In a block stand fragments: checksum (4, masked CRC-32C of type and payload),
 * length (2), type (1), payload; numbers are little-endian. A record is one `full` fragment, or `first`, any `middle`,
 * `last`. Where fewer than 7 bytes are left of a block they are padding.
 */

/** A whole record. */
export interface StoredRecord {
  /** Where it begins in the file. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** How a file of records ends. */
export type RecordsEnd =
  | { readonly kind: "whole" }
  /** The last write never got to its end, as when power fails: it was not synced, so nobody was told that it is kept. */
  | { readonly kind: "torn"; readonly offset: number; readonly bytes: number }
  /** What was written, and may have been synced, is no longer what it was. */
  | { readonly kind: "damaged"; readonly offset: number; readonly why: string };

export interface Records {
  /** Those before the first trouble. */
  readonly records: readonly StoredRecord[];
  readonly end: RecordsEnd;
}

export const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;
/** What a disk writes as one: a write that power cut off is missing in such pieces, which then read as zeros. */
const SECTOR_BYTES = 512;

/** Reads the records of a file from a place where one begins, and judges what follows the last good one. */
export function readRecords(file: Uint8Array, from = 0): Records {
  const records: StoredRecord[] = [];
  let open: { offset: number; pieces: Uint8Array[] } | undefined;
  for (let at = from; ; ) {
    at = skipPadding(at);
    if (at >= file.length) {
      const end = open ? torn(file, open.offset) : ({ kind: "whole" } as const);
      return { records, end };
    }
    const fragment = fragmentAt(file, at);
    if (!fragment) return { records, end: judge(file, at, open?.offset ?? at) };
    const starts = fragment.type <= FIRST;
    if (starts && open?.pieces.some((piece) => piece.length > 0)) {
      return { records, end: damaged(open.offset, "a record has no end") };
    }
    if (!starts && !open) return { records, end: damaged(at, "a record has no beginning") };
    if (starts || !open) open = { offset: at, pieces: [] };
    open.pieces.push(fragment.payload);
    if (fragment.type === FULL || fragment.type === LAST) {
      const [only] = open.pieces;
      const bytes = only && open.pieces.length === 1 ? only : Buffer.concat(open.pieces);
      records.push({ offset: open.offset, bytes });
      open = undefined;
    }
    at = fragment.end;
  }
}

/**
 * All good records of a file, also those behind damage, and the places that are damaged. For what is read once, to save
 * what can be: no one may append behind it.
 */
export function readAllRecords(file: Uint8Array): {
  readonly records: readonly StoredRecord[];
  readonly damages: readonly { readonly offset: number; readonly why: string }[];
} {
  const records: StoredRecord[] = [];
  const damages: { offset: number; why: string }[] = [];
  for (let from = 0; ; ) {
    const read = readRecords(file, from);
    records.push(...read.records);
    if (read.end.kind !== "damaged") return { records, damages };
    damages.push({ offset: read.end.offset, why: read.end.why });
    const next = startAfter(file, read.end.offset);
    if (next === undefined) return { records, damages };
    from = next;
  }
}

/** Where the next good record may begin: by the lengths that stand there, as long as they lead on, else by a search. */
function startAfter(file: Uint8Array, damaged: number): number | undefined {
  for (let at = damaged; at + HEADER_BYTES <= file.length; ) {
    const next = skipPadding(at + HEADER_BYTES + lengthAt(file, at));
    if (next > skipPadding(blockEnd(at))) break;
    const fragment = fragmentAt(file, next);
    if (fragment && fragment.type <= FIRST) return next;
    if (!fragment) break;
    at = next;
  }
  for (let from = damaged + 1; ; ) {
    const found = goodAfter(file, from - 1);
    if (!found) return undefined;
    const start = found.end - found.payload.length - HEADER_BYTES;
    if (found.type <= FIRST) return start;
    from = start + 1;
  }
}

interface Fragment {
  readonly type: number;
  readonly payload: Uint8Array;
  readonly end: number;
}

function skipPadding(at: number): number {
  const left = BLOCK_BYTES - (at % BLOCK_BYTES);
  return left < HEADER_BYTES ? at + left : at;
}

/** The fragment at `at`, if there is a whole and right one. */
function fragmentAt(file: Uint8Array, at: number): Fragment | undefined {
  const type = file[at + 6] ?? 0;
  if (type < FULL || type > LAST) return undefined;
  const end = at + HEADER_BYTES + lengthAt(file, at);
  if (end > Math.min(blockEnd(at), file.length)) return undefined;
  if (maskCrc(crc32c(file.subarray(at + 6, end))) !== checksumAt(file, at)) return undefined;
  return { type, payload: file.subarray(at + HEADER_BYTES, end), end };
}

function lengthAt(file: Uint8Array, at: number): number {
  return (file[at + 4] ?? 0) | ((file[at + 5] ?? 0) << 8);
}

function checksumAt(file: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = file.subarray(at, at + 4);
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

function blockEnd(at: number): number {
  return at - (at % BLOCK_BYTES) + BLOCK_BYTES;
}

/**
 * Judges a fragment that is not good: was it never written to its end, or changed since? `start` is where its record
 * begins. One record at a time is written and synced, so only the last can be torn: then the file ends within it, or
 * sectors of it are zeros. Everything else is damage, in doubt too, for what is refused can still be looked at.
 */
function judge(file: Uint8Array, at: number, start: number): RecordsEnd {
  if (isZero(file, at, file.length)) return torn(file, start);
  const next = goodAfter(file, at);
  if (next && next.type <= FIRST) return damaged(at, "a bad record stands before good ones");
  if (!next && at + HEADER_BYTES > file.length) return torn(file, start);
  if (!next && isWholeAtAnotherLength(file, at)) return damaged(at, "a record says a wrong length");
  const end = at + HEADER_BYTES + lengthAt(file, at);
  if (!next && end > file.length && end <= blockEnd(at)) return torn(file, start);
  if (lacksSector(file, at)) return torn(file, start);
  return damaged(at, "a record's checksum is wrong");
}

function torn(file: Uint8Array, offset: number): RecordsEnd {
  return { kind: "torn", offset, bytes: file.length - offset };
}

function damaged(offset: number, why: string): RecordsEnd {
  return { kind: "damaged", offset, why };
}

/** The first good fragment behind `at`; preferably one with which a record begins. */
function goodAfter(file: Uint8Array, at: number): Fragment | undefined {
  let found: Fragment | undefined;
  for (let from = at + 1; from < file.length; from = blockEnd(from)) {
    const end = Math.min(blockEnd(from), file.length);
    for (let look = from; look < end - HEADER_BYTES; look++) {
      const chain = chainAt(file, look, end);
      found ??= chain[0];
      const starts = chain.find((fragment) => fragment.type <= FIRST);
      if (starts) return starts;
      if (chain.length > 0) break;
    }
  }
  return found;
}

/** Good fragments from `at` up to the end of block or file: one alone may be what somebody sent as a text. */
function chainAt(file: Uint8Array, at: number, end: number): readonly Fragment[] {
  const chain: Fragment[] = [];
  for (let next = at; next <= end - HEADER_BYTES; ) {
    const fragment = fragmentAt(file, next);
    if (!fragment) return chain.length > 0 && isZero(file, next, end) ? chain : [];
    chain.push(fragment);
    next = fragment.end;
  }
  return chain;
}

/** Whether the checksum is right for what stands there, and only the length beside it is not. */
function isWholeAtAnotherLength(file: Uint8Array, at: number): boolean {
  const expected = checksumAt(file, at);
  const limit = Math.min(blockEnd(at), file.length);
  let crc = 0;
  for (let end = at + 6; end < limit; end++) {
    crc = crc32c(file.subarray(end, end + 1), crc);
    if (maskCrc(crc) === expected) return true;
  }
  return false;
}

/** Whether a sector from `at` on, as far as it belongs to the file, was never written. */
function lacksSector(file: Uint8Array, at: number): boolean {
  for (let from = at; from < file.length; ) {
    const end = Math.min(from - (from % SECTOR_BYTES) + SECTOR_BYTES, file.length);
    if (isZero(file, from, end)) return true;
    from = end;
  }
  return false;
}

function isZero(file: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (file[at] !== 0) return false;
  return true;
}
