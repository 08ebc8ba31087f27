import { HeddleError } from "../../../base/heddle-error.ts";
import type { ByteStream } from "../../../rpc/calls/byte-stream.ts";
import type { Call } from "../../../rpc/calls/handlers.ts";

/** The server's end of a simulated stream. Writes never wait: what a slow reader costs is other tests' business. */
export class SimByteStream implements ByteStream {
  readonly call: Call;
  readonly bufferedBytes = 0;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #ended: (error: HeddleError | undefined) => void;
  readonly #onClose: (() => void)[] = [];
  #onMessage: (bytes: Uint8Array) => void = () => {};
  #kept: Uint8Array[] = [];
  #isPaused = false;
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

  write(bytes: Uint8Array): boolean {
    if (!this.#isOver) this.#send(bytes);
    return true;
  }

  onDrain(): void {}

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
