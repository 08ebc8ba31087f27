import type { LinkStream } from "./link-stream.ts";

/** Bytes on their way at which `write` says stop. */
const HIGH_WATER_BYTES = 64 * 1024;

/** Runs a callback later: in the next turn, or after the delay of a simulated network. Order is kept all the same. */
export type Later = (run: () => void) => void;

/** What runs the steps of a pair whose halves are in two processes. */
export interface PairWays {
  /** The network, there and back. */
  readonly toFar: Later;
  readonly toNear: Later;
  /** A later turn of the process that holds a half. */
  readonly inNear: Later;
  readonly inFar: Later;
}

/** Both halves of a stream in memory, and the hands of a test or a simulator on it. */
export interface MemoryPair {
  /** The half that dialled, and the half that was dialled. */
  readonly near: LinkStream;
  readonly far: LinkStream;
  /** Breaks it: what was on its way is lost, and both halves close in their next turns. */
  cut(): void;
  /** From now on nothing arrives and nobody is told: a half-open connection. */
  freeze(): void;
}

/**
 * A stream within one process, or between two simulated ones. The network is called once per message, and once for the
 * end.
 */
export function memoryPair(ways: Later | PairWays): MemoryPair {
  const { toFar, toNear, inNear, inFar } =
    typeof ways === "function" ? { toFar: ways, toNear: ways, inNear: ways, inFar: ways } : ways;
  const near = new Half(toFar, inNear);
  const far = new Half(toNear, inFar);
  near.other = far;
  far.other = near;
  const both = [near, far];
  return {
    near,
    far,
    cut: () => {
      for (const half of both) half.isFrozen = true;
      for (const half of both) half.closeSoon();
    },
    freeze: () => {
      for (const half of both) half.isFrozen = true;
    },
  };
}

class Half implements LinkStream {
  other!: Half;
  isFrozen = false;
  readonly #toOther: Later;
  readonly #soon: Later;
  /** On its way to the other half, or held by it; `undefined` is the end. */
  #sent: (Uint8Array | undefined)[] = [];
  /** How many of them have arrived, and wait because the other half is paused. */
  #arrived = 0;
  #bufferedBytes = 0;
  #wasFull = false;
  #isPaused = false;
  #isEnded = false;
  #isClosed = false;
  #onDrain = () => {};
  #onMessage: ((bytes: Uint8Array) => void) | undefined;
  readonly #onClose: (() => void)[] = [];

  constructor(toOther: Later, soon: Later) {
    this.#toOther = toOther;
    this.#soon = soon;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isEnded || this.#isClosed) return true;
    this.#bufferedBytes += bytes.length;
    if (this.#bufferedBytes > HIGH_WATER_BYTES) this.#wasFull = true;
    this.#send(bytes);
    return !this.#wasFull;
  }

  end(): void {
    if (this.#isEnded || this.#isClosed) return;
    this.#isEnded = true;
    this.#send(undefined);
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  onMessage(callback: (bytes: Uint8Array) => void): void {
    this.#onMessage = callback;
    this.#soon(() => this.other.#deliver()); // Never from within: the owner of the callback may still be made.
  }

  /** The end closes both halves at once. */
  onHalfClose(): void {}

  onClose(callback: () => void): void {
    if (this.#isClosed) queueMicrotask(callback);
    else this.#onClose.push(callback);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#soon(() => this.other.#deliver());
  }

  closeSoon(): void {
    this.#soon(() => this.close());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sent = [];
    this.#bufferedBytes = 0;
    for (const callback of this.#onClose.splice(0)) callback();
  }

  #send(bytes: Uint8Array | undefined): void {
    this.#sent.push(bytes);
    this.#toOther(() => {
      this.#arrived++;
      this.#deliver();
    });
  }

  /** Hands on what has arrived, while the other half reads. */
  #deliver(): void {
    if (this.isFrozen) return;
    while (this.#arrived > 0 && this.#sent.length > 0 && !this.other.#isPaused && this.other.#onMessage) {
      this.#arrived--;
      const bytes = this.#sent.shift();
      if (!bytes) {
        this.other.close();
        this.closeSoon();
        return;
      }
      this.#bufferedBytes -= bytes.length;
      if (!this.other.#isClosed) this.other.#onMessage(bytes);
    }
    if (!this.#wasFull || this.#bufferedBytes > 0 || this.#isClosed) return;
    this.#wasFull = false;
    this.#soon(() => this.#isClosed || this.#onDrain());
  }
}
