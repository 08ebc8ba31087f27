import type { Clock } from "../../base/clock.ts";
import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";

/** How long a unary call may take if the client sets no deadline, in milliseconds. */
export const DEFAULT_DEADLINE_MS = 10_000;

/** How long a unary call may take at most, whatever the client says, in milliseconds. */
const MAX_DEADLINE_MS = 60_000;

/** The deadline of a unary call. `askedMs` is what is left of the client's own, Infinity or undefined for none. */
export function unaryLimitMs(askedMs: number | undefined): number {
  if (askedMs === undefined || !Number.isFinite(askedMs)) return DEFAULT_DEADLINE_MS;
  return Math.min(Math.max(askedMs, 0), MAX_DEADLINE_MS);
}

/** DEADLINE_EXCEEDED / DEADLINE. What the call was to write may have been, or may yet be, written. */
export function deadlineExceeded(limitMs: number): HeddleError {
  const text = `the call took longer than ${Math.round(limitMs)} ms`;
  return new HeddleError(Code.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, text, {
    metadata: { limit_ms: String(Math.round(limitMs)) },
  });
}

/**
 * Runs a call under a deadline. The signal that `run` gets aborts when the deadline passes (reason: DEADLINE) or
 * `stop` is called with a reason; the answer then is that reason at once, whether `run` heeds the signal or not.
 */
export function withDeadline<T>(
  clock: Clock,
  limitMs: number,
  run: (signal: AbortSignal) => Promise<T>,
): { readonly answer: Promise<T>; stop(reason: Error): void } {
  const abort = new AbortController();
  let stop: (reason: Error) => void = () => {};
  const answer = new Promise<T>((resolve, reject) => {
    stop = (reason) => {
      reject(reason);
      abort.abort(reason);
    };
    const cancel = clock.after(limitMs, () => stop(deadlineExceeded(limitMs)));
    run(abort.signal).then(resolve, reject).finally(cancel);
  });
  return { answer, stop: (reason) => stop(reason) };
}

/** How long an ended stream may take to let its last bytes out before it is cut off, in milliseconds. */
export const LINGER_MS = 5_000;
