import { decodeToken, encodeToken, TokenKind } from "./opaque-token.ts";

/** What a client stores when a sync has ended, and gives to the next. */
export interface SyncCursor {
  /** The state of the store in the last page's snapshot; era 0 in a cursor of an earlier version's. */
  readonly era: number;
  readonly mark: number;
  /** The owner's counter in the last page's snapshot. */
  readonly version: number;
  /** The store's clock in the first page's snapshot (the earliest, if it was set back meanwhile), Unix milliseconds. */
  readonly atMs: number;
}

/** What one page leaves to the next: all of it, so that the request's cursor matters on the first page only. */
export interface SyncPageToken {
  /** The era in which the sync runs. A start of the store between two pages ends it, and it begins anew. */
  readonly era: number;
  /** The cursor that the sync started from; version 0 for a full sync. */
  readonly sinceVersion: number;
  readonly sinceAtMs: number;
  /** The version of the last row that was listed. */
  readonly afterVersion: number;
  /** The id of the last large group that was listed without its row being new; zeros before the first. */
  readonly afterLarge: Uint8Array;
  /** The earliest time of the store's clock in the snapshots so far, for the cursor that the last page gives. */
  readonly atMs: number;
}

export function encodeCursor({ era, mark, version, atMs }: SyncCursor): Uint8Array {
  return encodeToken(TokenKind.cursor, [era, mark, version, atMs]);
}

/** Undefined for no bytes: a sync of everything. Throws TOKEN_MALFORMED. */
export function decodeCursor(bytes: Uint8Array): SyncCursor | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes[0] === TokenKind.epochCursor) {
    const shape = { kind: TokenKind.epochCursor, numbers: 3, restBytes: 0 };
    const [, version = 0, atMs = 0] = decodeToken(shape, bytes, "cursor").numbers;
    return { era: 0, mark: 0, version, atMs };
  }
  const shape = { kind: TokenKind.cursor, numbers: 4, restBytes: 0 };
  const [era = 0, mark = 0, version = 0, atMs = 0] = decodeToken(shape, bytes, "cursor").numbers;
  return { era, mark, version, atMs };
}

export function encodePageToken(token: SyncPageToken): Uint8Array {
  const { era, sinceVersion, sinceAtMs, afterVersion, atMs, afterLarge } = token;
  const numbers = [era, sinceVersion, sinceAtMs, afterVersion, atMs];
  return encodeToken(TokenKind.syncPage, numbers, afterLarge);
}

/** Undefined for no bytes: the first page. Throws TOKEN_MALFORMED. */
export function decodePageToken(bytes: Uint8Array): SyncPageToken | undefined {
  if (bytes.length === 0) return undefined;
  const shape = { kind: TokenKind.syncPage, numbers: 5, restBytes: 16 };
  const { numbers, rest } = decodeToken(shape, bytes, "page_token");
  const [era = 0, sinceVersion = 0, sinceAtMs = 0, afterVersion = 0, atMs = 0] = numbers;
  return { era, sinceVersion, sinceAtMs, afterVersion, atMs, afterLarge: rest };
}
