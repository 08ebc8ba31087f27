/** gRPC puts five bytes before each message: 0 for not compressed, and the length, big-endian. */
const PREFIX_BYTES = 5;

const NOTHING = Buffer.alloc(0);

/** A message with gRPC's five bytes before it. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

/**
 * Cuts the chunks of a stream into messages: views into the chunks, joined only where a message spans several. Can be
 * held between two messages. Holds at most one message, and the chunk that came when it was held.
 */
export class MessageSplitter {
  readonly #maxBytes: number;
  readonly #onMessage: (bytes: Buffer) => void;
  readonly #onTooLarge: () => void;
  /** What was not handed on, and how many bytes of it are needed to go on. */
  #parts: Buffer[] = [];
  #bytes = 0;
  #needed = 0;
  #isHeld = false;
  #isOver = false;
  #isSplitting = false;

  /** `onTooLarge` is called once, for a message of more than `maxBytes` (-1: no bound); then nothing more comes. */
  constructor(maxBytes: number, onMessage: (bytes: Buffer) => void, onTooLarge: () => void) {
    this.#maxBytes = maxBytes;
    this.#onMessage = onMessage;
    this.#onTooLarge = onTooLarge;
  }

  /** Takes a chunk and hands on every message that is whole now. */
  push(chunk: Buffer): void {
    if (this.#isOver) return;
    if (!this.#isHeld && this.#bytes === 0) {
      this.#split(chunk);
      return;
    }
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    this.#goOn();
  }

  /** No message more until `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Hands on what was held; false if it was held again meanwhile. */
  release(): boolean {
    this.#isHeld = false;
    if (!this.#isSplitting) this.#goOn();
    return !this.#isHeld;
  }

  #goOn(): void {
    if (this.#isHeld || this.#bytes < this.#needed || this.#bytes === 0) return;
    const [first = NOTHING] = this.#parts;
    const bytes = this.#parts.length === 1 ? first : Buffer.concat(this.#parts, this.#bytes);
    this.#keep(NOTHING);
    this.#split(bytes);
  }

  #split(bytes: Buffer): void {
    this.#isSplitting = true;
    let at = 0;
    while (!this.#isHeld && bytes.length - at >= PREFIX_BYTES) {
      const length = bytes.readUInt32BE(at + 1);
      if (this.#maxBytes >= 0 && length > this.#maxBytes) {
        this.#isOver = true;
        this.#onTooLarge();
        break;
      }
      const end = at + PREFIX_BYTES + length;
      if (end > bytes.length) break;
      at = end;
      this.#onMessage(bytes.subarray(end - length, end));
    }
    this.#isSplitting = false;
    this.#keep(this.#isOver ? NOTHING : bytes.subarray(at));
  }

  #keep(rest: Buffer): void {
    this.#parts = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
    this.#needed = PREFIX_BYTES + (rest.length >= PREFIX_BYTES ? rest.readUInt32BE(1) : 0);
  }
}
