import { HeddleError } from "../../../base/heddle-error.ts";
import type { ByteStream } from "../../../rpc/calls/byte-stream.ts";
import type { Call } from "../../../rpc/calls/handlers.ts";

/** What the network and a client's socket hold of a stream that is not read, in bytes. */
const WINDOW_BYTES = 65_536;

/** The server's end of a simulated stream. What the client does not read stays here, beyond a window. */
export class SimByteStream implements ByteStream {
  readonly call: Call;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #ended: (error: HeddleError | undefined) => void;
  readonly #onClose: (() => void)[] = [];
  #onMessage: (bytes: Uint8Array) => void = () => {};
  #kept: Uint8Array[] = [];
  #isPaused = false;
  #onDrain: () => void = () => {};
  #unreadBytes = 0;
  #isHeld = false;
  #isOver = false;

  constructor(
    call: Call,
    send: (bytes: Uint8Array) => void,
    ended: (error: HeddleError | undefined) => void,
  ) {
    this.call = call;
    this.#send = send;
    this.#ended = ended;
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#unreadBytes - WINDOW_BYTES);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#unreadBytes += bytes.length;
    this.#send(bytes);
    this.#isHeld = this.bufferedBytes > 0;
    return !this.#isHeld;
  }

  /** The client has read so many bytes. `later` runs in a step of the server, if that waits for it. */
  taken(bytes: number, later: (run: () => void) => void): void {
    this.#unreadBytes -= bytes;
    if (!this.#isHeld || this.bufferedBytes > 0) return;
    this.#isHeld = false;
    later(() => this.#isOver || this.#onDrain());
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  onMessage(callback: (bytes: Uint8Array) => void): void {
    this.#onMessage = callback;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const bytes of this.#kept.splice(0)) this.receive(bytes);
  }

  onHalfClose(): void {}

  onClose(callback: () => void): void {
    this.#onClose.push(callback);
  }

  end(error?: HeddleError): void {
    if (this.#isOver) return;
    this.#ended(error);
    this.drop();
  }

  fail(error: unknown): void {
    this.end(HeddleError.from(error, this.call.requestId));
  }

  /** What the client said has arrived. */
  receive(bytes: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#isPaused) {
      this.#kept.push(bytes);
      return;
    }
    try {
      this.#onMessage(bytes);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  /** The client or the network has ended it. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const callback of this.#onClose) callback();
  }
}
