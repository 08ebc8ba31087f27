import { decodeToken, encodeToken, TokenKind } from "./opaque-token.ts";

/** What a client stores when a sync has ended, and gives to the next. */
export interface SyncCursor {
  /** Of the store's history. */
  readonly epoch: number;
  /** The owner's counter in the last page's snapshot. */
  readonly version: number;
  /** The store's clock in the first page's snapshot (the earliest, if it was set back meanwhile), Unix milliseconds. */
  readonly atMs: number;
}

/** What one page leaves to the next: all of it, so that the request's cursor matters on the first page only. */
export interface SyncPageToken {
  readonly epoch: number;
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

export function encodeCursor({ epoch, version, atMs }: SyncCursor): Uint8Array {
  return encodeToken(TokenKind.cursor, [epoch, version, atMs]);
}

/** Undefined for no bytes: a sync of everything. Throws TOKEN_MALFORMED. */
export function decodeCursor(bytes: Uint8Array): SyncCursor | undefined {
  if (bytes.length === 0) return undefined;
  const shape = { kind: TokenKind.cursor, numbers: 3, restBytes: 0 };
  const [epoch = 0, version = 0, atMs = 0] = decodeToken(shape, bytes, "cursor").numbers;
  return { epoch, version, atMs };
}

export function encodePageToken(token: SyncPageToken): Uint8Array {
  const { epoch, sinceVersion, sinceAtMs, afterVersion, atMs, afterLarge } = token;
  const numbers = [epoch, sinceVersion, sinceAtMs, afterVersion, atMs];
  return encodeToken(TokenKind.syncPage, numbers, afterLarge);
}

/** Undefined for no bytes: the first page. Throws TOKEN_MALFORMED. */
export function decodePageToken(bytes: Uint8Array): SyncPageToken | undefined {
  if (bytes.length === 0) return undefined;
  const shape = { kind: TokenKind.syncPage, numbers: 5, restBytes: 16 };
  const { numbers, rest } = decodeToken(shape, bytes, "page_token");
  const [epoch = 0, sinceVersion = 0, sinceAtMs = 0, afterVersion = 0, atMs = 0] = numbers;
  return { epoch, sinceVersion, sinceAtMs, afterVersion, atMs, afterLarge: rest };
}
