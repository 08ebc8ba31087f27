import type { Clock } from "../base/clock.ts";

/** A clock whose wall time is set by hand. Timers fire by the machine's. */
export class MovableClock implements Clock {
  ms = 1_700_000_000_000;
  nowMs = () => this.ms;
  monotonicMs = () => performance.now();
  after = (ms: number, callback: () => void) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  };
}
