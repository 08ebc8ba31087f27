/**
 * The bytes, in memory of their own: for whatever is kept. A view holds on to the whole buffer in which it came, and
 * 16 bytes of an id would hold on to the 64 KiB that were read from a socket with it. What fills at least half of its
 * buffer is returned as it is. Safe in browsers.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength <= 2 * bytes.byteLength ? bytes : new Uint8Array(bytes);
}
