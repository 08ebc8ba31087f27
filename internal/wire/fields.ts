/**
 * Protobuf fields written by hand into a buffer whose size was computed before: for messages of which there is one per
 * delivery, where a general writer's own buffers cost more than the encoding. Each `write…` returns where the next
 * byte goes. Safe in browsers.
 */

/** The low seven bits of a varint's byte, and the bit that says that another follows. */
const MORE = 0x80;

/** How many bytes a varint of `value` takes: 0 … 2^53 − 1. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= MORE; rest = Math.floor(rest / MORE)) bytes++;
  return bytes;
}

/** Writes a varint: 0 … 2^53 − 1. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let to = at;
  let rest = value;
  for (; rest > 0x7fffffff; rest = Math.floor(rest / MORE)) target[to++] = (rest % MORE) | MORE;
  for (; rest >= MORE; rest >>>= 7) target[to++] = rest | MORE;
  target[to++] = rest;
  return to;
}

/** Writes a varint field. The tag is one byte: field number 1 … 15 and wire type. */
export function writeVarintField(target: Uint8Array, at: number, tag: number, value: number): number {
  target[at] = tag;
  return writeVarint(target, at + 1, value);
}

/** How many bytes a field of one byte's tag takes whose content has a length of `bytes`. */
export function lengthDelimitedBytes(bytes: number): number {
  return 1 + varintBytes(bytes) + bytes;
}

/** Writes tag and length of a field whose content follows. */
export function writeLength(target: Uint8Array, at: number, tag: number, bytes: number): number {
  target[at] = tag;
  return writeVarint(target, at + 1, bytes);
}

/** Writes a field of bytes. */
export function writeBytesField(target: Uint8Array, at: number, tag: number, bytes: Uint8Array): number {
  const from = writeLength(target, at, tag, bytes.length);
  target.set(bytes, from);
  return from + bytes.length;
}

/** Writes a field of text that is ASCII only, as ids are. */
export function writeAsciiField(target: Uint8Array, at: number, tag: number, text: string): number {
  const from = writeLength(target, at, tag, text.length);
  for (let index = 0; index < text.length; index++) target[from + index] = text.charCodeAt(index);
  return from + text.length;
}
