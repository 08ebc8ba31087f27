import type { Clock } from "../../../base/clock.ts";

/** Calls back once, when the clock gets there. */
interface Timer {
  /** By the monotonic time. */
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. Its wall and its monotonic time can be moved apart. */
export class FakeClock implements Clock {
  #wallMs: number;
  /** As of a process that has run for a while. */
  #monotonicMs = 5_000;
  readonly #timers = new Set<Timer>();

  /** `wallMs`: what time it is, in Unix ms. */
  constructor(wallMs = 1_700_000_000_000) {
    this.#wallMs = wallMs;
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { atMs: this.#monotonicMs + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves both times on by `ms`, and calls back what falls due on the way, in order, each at its own time. */
  advance(ms: number): void {
    const end = this.#monotonicMs + ms;
    for (let due = this.#nextUntil(end); due; due = this.#nextUntil(end)) {
      this.#timers.delete(due);
      this.#move(Math.max(0, due.atMs - this.#monotonicMs));
      due.callback();
    }
    this.#move(end - this.#monotonicMs);
  }

  /** Moves both times on by `ms` while nothing runs, as where a process was paused: what falls due is called back after it. */
  sleep(ms: number): void {
    this.#move(ms);
    this.advance(0);
  }

  /** Sets the wall clock forward, or back, as an administrator or NTP does: no time passes. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  #move(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** Of several that fall due at one time, the one that was set first. */
  #nextUntil(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= endMs && (!next || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }
}
