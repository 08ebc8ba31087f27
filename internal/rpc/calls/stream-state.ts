/** How far a ByteStream has come: open, then ended by the server or not, then closed. Each step is taken once. */
export class StreamState {
  #now: "open" | "ended" | "closed" = "open";
  readonly #onClose: (() => void)[] = [];
  readonly #fail: (error: unknown) => void;

  /** `fail` gets what a callback throws. */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
  }

  get isOpen(): boolean {
    return this.#now === "open";
  }

  get isClosed(): boolean {
    return this.#now === "closed";
  }

  /** The server ends the stream. False if it was over. */
  end(): boolean {
    if (this.#now !== "open") return false;
    this.#now = "ended";
    return true;
  }

  /** The stream is over: `cleanUp` runs, then those who asked are told. Nothing if it was over. */
  close(cleanUp: () => void): void {
    if (this.#now === "closed") return;
    this.#now = "closed";
    cleanUp();
    for (const callback of this.#onClose.splice(0)) this.guarded(callback)();
  }

  /** As ByteStream.onClose. */
  onClose(callback: () => void): void {
    if (this.#now === "closed") queueMicrotask(this.guarded(callback));
    else this.#onClose.push(callback);
  }

  /** The callback, but what it throws goes to `fail`: it runs where nobody else would catch it. */
  guarded<A extends unknown[]>(callback: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      try {
        callback(...args);
      } catch (error) {
        this.#fail(error);
      }
    };
  }
}
