/** gRPC puts five bytes before each message: 0 for not compressed, and the length, big-endian. */
export const PREFIX_BYTES = 5;

/** A message with gRPC's five bytes before it. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  writePrefix(bytes, message.length);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

/** Writes the five bytes at the start of a buffer that has room for them. */
export function writePrefix(bytes: Buffer, messageBytes: number): void {
  bytes[0] = 0;
  bytes.writeUInt32BE(messageBytes, 1);
}

/** Cuts the chunks of a stream into messages. */
export class MessageSplitter {
  readonly #onMessage: (bytes: Buffer) => void;
  #rest: Buffer | undefined;

  constructor(onMessage: (bytes: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Takes a chunk and hands on every message that is whole now. What it hands on are views into the chunks. */
  push(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      const end = at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      this.#onMessage(bytes.subarray(at + PREFIX_BYTES, end));
      at = end;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
  }
}
