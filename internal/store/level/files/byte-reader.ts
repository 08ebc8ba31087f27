/** Reads LevelDB's numbers and strings from bytes, one after the other. Throws RangeError where the bytes end early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Groups of 7 bits, the lowest first. Exact up to 2^53 − 1. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError("a number has no end");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** So many bytes; shares them. */
  bytes(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError("a string is longer than what holds it");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** All that is left; shares them. */
  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** A string behind its length. */
  lengthPrefixed(): Uint8Array {
    return this.bytes(this.varint());
  }

  /** A little-endian number of 8 bytes. Exact up to 2^53 − 1. */
  uint64(): number {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = this.bytes(8);
    return low(a, b, c, d) + low(e, f, g, h) * 2 ** 32;
  }

  /** A little-endian number of 4 bytes. */
  uint32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.bytes(4);
    return low(a, b, c, d);
  }
}

function low(a: number, b: number, c: number, d: number): number {
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
