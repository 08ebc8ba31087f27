/** Time as the code sees it. Injected, so that tests move it by hand. */
export interface Clock {
  /** Unix milliseconds. May jump. */
  nowMs(): number;
  /** Milliseconds since some moment; never goes back. For ages and deadlines. */
  monotonicMs(): number;
  /** Calls back once, at least `ms` later. The returned function cancels it. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
}

/** The machine's timers count whole milliseconds, so by `monotonicMs` they come up to one early. */
const TIMER_MS = 1;

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.ceil(ms) + TIMER_MS) as { unref?: () => void } & ReturnType<
      typeof setTimeout
    >;
    timer.unref?.();
    return () => clearTimeout(timer);
  },
};

/**
 * Resolves at least `ms` later by the clock. Rejects with the signal's reason when it aborts, and takes its timer back
 * then. Whatever waits for time alone waits by this.
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
