import { Code, ErrorReason, HeddleError } from "../base/heddle-error.ts";

/**
 * What a token is, and its format: the first byte. A token of another kind, or of a format that this version does not
 * know, is refused like any other bytes.
 */
export const TokenKind = {
  /** Cursors of before there were eras. */
  epochCursor: 0x01,
  /** Pages of ListThreads of before they knew of a floor. */
  listPage: 0x03,
  syncPage: 0x04,
  userPage: 0x05,
  cursor: 0x06,
  recentPage: 0x07,
} as const;

const NO_BYTES = new Uint8Array(0);

/** Whole numbers from 0 to 2^53 − 1, and bytes at the end, as an opaque token. */
export function encodeToken(
  kind: number,
  numbers: readonly number[],
  rest: Uint8Array = NO_BYTES,
): Uint8Array {
  const bytes = new Uint8Array(1 + 8 * numbers.length + rest.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = kind;
  numbers.forEach((value, at) => {
    view.setBigUint64(1 + 8 * at, BigInt(value));
  });
  bytes.set(rest, 1 + 8 * numbers.length);
  return bytes;
}

/** The shape of one kind of token. */
export interface TokenShape {
  readonly kind: number;
  readonly numbers: number;
  /** "any": as many as come. */
  readonly restBytes: number | "any";
}

/** What encodeToken was given. Throws INVALID_ARGUMENT / TOKEN_MALFORMED for `field` if it did not make these bytes. */
export function decodeToken(
  shape: TokenShape,
  bytes: Uint8Array,
  field: string,
): { numbers: readonly number[]; rest: Uint8Array } {
  const restAt = 1 + 8 * shape.numbers;
  const isOfShape =
    shape.restBytes === "any" ? bytes.length >= restAt : bytes.length === restAt + shape.restBytes;
  if (!isOfShape || bytes[0] !== shape.kind) throw malformedToken(field);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const numbers = Array.from({ length: shape.numbers }, (_, at) => Number(view.getBigUint64(1 + 8 * at)));
  if (!numbers.every(Number.isSafeInteger)) throw malformedToken(field);
  return { numbers, rest: bytes.subarray(restAt) };
}

/** INVALID_ARGUMENT / TOKEN_MALFORMED. */
export function malformedToken(field: string): HeddleError {
  const text = `${field}: not one that this deployment made`;
  return new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.TOKEN_MALFORMED, text, { metadata: { field } });
}
