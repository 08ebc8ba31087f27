/** Ids and their text forms (docs/design.md, section 12). Safe in browsers. */

/**
 * A user_id: what OpenID Connect allows for `sub`. Visible ASCII, so its characters are its bytes, and comparing texts
 * compares bytes; case counts, and nothing in it has a meaning. A blank or NUL beside one separates it from what follows,
 * and no other character does.
 */
export const USER_ID_PATTERN = /^[!-~]{1,255}$/;

/** The longest user_id, in bytes. */
export const USER_ID_BYTES = 255;

/** The rule in words, for errors. */
export const USER_ID_RULE = "1–255 visible ASCII characters";

/** A device_id. */
export const DEVICE_ID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;

/** The rule in words, for errors. */
export const DEVICE_ID_RULE = "1–128 of A–Z, a–z, 0–9, '.', '_', '-'";

/** The largest seq: what a double holds exactly. */
export const MAX_SEQ = Number.MAX_SAFE_INTEGER;

/** Neither is in every browser yet. */
const { toHex } = Uint8Array.prototype as { toHex?: (this: Uint8Array) => string };
const bytesOf = (Uint8Array as { fromHex?: (text: string) => Uint8Array }).fromHex?.bind(Uint8Array);

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes as lower-case hex, as ids stand in JSON, logs and map keys. */
export function hex(bytes: Uint8Array): string {
  if (toHex) return toHex.call(bytes);
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** Hex to bytes. Throws RangeError if the text is not an even number of hex digits. */
export function fromHex(text: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw new RangeError("not hex");
  if (bytesOf) return bytesOf(text);
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
  );
}

/** A fresh 16-byte UUID (v7: ordered by time), for client_id and request_id. */
export function newUuid(nowMs: number): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(nowMs / 2 ** 32));
  view.setUint32(2, nowMs % 2 ** 32);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes;
}

/** Whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
