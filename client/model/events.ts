import type { ClientEvent } from "./model.ts";

/** Events held for one slow reader; then it is told `behind_all` once, and gets what comes after. */
const HELD_EVENTS = 4_096;
/** Above this, catching up pauses until the reader has read. */
const CROWDED_EVENTS = 1_024;

/** Gives each event to every listener, in order; iterators have bounded buffers (docs/design.md, promise 10). */
export class Events {
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  readonly #readers = new Set<Reader>();
  readonly #waiting: (() => void)[] = [];
  readonly #onFault: (fault: unknown) => void;
  #isClosed = false;

  /** `onFault` gets what a listener throws: one bad listener costs the others nothing. */
  constructor(onFault: (fault: unknown) => void = rethrowLater) {
    this.#onFault = onFault;
  }

  emit(event: ClientEvent): void {
    for (const reader of this.#readers) reader.push(event);
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (fault) {
        this.#onFault(fault);
      }
    }
  }

  on(listener: (event: ClientEvent) => void): () => void {
    const own = (event: ClientEvent) => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Events from now on. Ends with the signal (without throwing), with `return`, or with close. */
  iterate(signal: AbortSignal | undefined): AsyncIterableIterator<ClientEvent> {
    const onAbort = () => reader.end();
    const reader = new Reader(
      () => this.#settle(),
      () => {
        this.#readers.delete(reader);
        signal?.removeEventListener("abort", onAbort);
      },
    );
    if (signal?.aborted || this.#isClosed) reader.end();
    else {
      this.#readers.add(reader);
      signal?.addEventListener("abort", onAbort, { once: true });
    }
    return reader;
  }

  /** Resolves when no reader is crowded. Used before each page of a pull. */
  calm(): Promise<void> {
    if (!this.#isCrowded()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    for (const reader of [...this.#readers]) reader.end();
    this.#listeners.clear();
    this.#settle();
  }

  #isCrowded(): boolean {
    return [...this.#readers].some((reader) => reader.size > CROWDED_EVENTS);
  }

  #settle(): void {
    if (!this.#isCrowded()) for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** One iterator with its buffer. */
class Reader implements AsyncIterableIterator<ClientEvent> {
  #buffer: ClientEvent[] = [];
  #pending: ((result: IteratorResult<ClientEvent>) => void)[] = [];
  #isOver = false;
  readonly #onRead: () => void;
  readonly #onEnd: () => void;

  constructor(onRead: () => void, onEnd: () => void) {
    this.#onRead = onRead;
    this.#onEnd = onEnd;
  }

  get size(): number {
    return this.#buffer.length;
  }

  push(event: ClientEvent): void {
    const waiting = this.#pending.shift();
    if (waiting) {
      waiting({ done: false, value: event });
      return;
    }
    if (this.#buffer.length >= HELD_EVENTS) this.#buffer = [{ type: "behind_all" }];
    this.#buffer.push(event);
  }

  next(): Promise<IteratorResult<ClientEvent>> {
    const value = this.#buffer.shift();
    if (value) {
      this.#onRead();
      return Promise.resolve({ done: false, value });
    }
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#pending.push(resolve));
  }

  return(): Promise<IteratorResult<ClientEvent>> {
    this.#buffer = [];
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  end(): void {
    this.#isOver = true;
    this.#onEnd();
    this.#onRead();
    for (const waiting of this.#pending.splice(0)) waiting({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function rethrowLater(fault: unknown): void {
  queueMicrotask(() => {
    throw fault;
  });
}
