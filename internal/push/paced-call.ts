import type { Clock } from "../base/clock.ts";
import { Code, HeddleError } from "../base/heddle-error.ts";
import type { CallGate, GatedCall } from "./call-gate.ts";
import { READ_AGAIN_MAX_MS, READ_AGAIN_MS } from "./limits.ts";

export interface PacedCallInit<T> {
  readonly clock: Clock;
  readonly gate: CallGate;
  /** Asks. Settles within a deadline. */
  readonly ask: () => Promise<T>;
  /** Takes the answer. False: it is of no use, ask again. */
  readonly takeAnswer: (answer: T) => boolean;
  /** What was asked for does not exist: asking again does not help. */
  readonly notFound: () => void;
}

/** A question that is asked in turn at a gate, and again, less and less often, until there is an answer. */
export class PacedCall<T> implements GatedCall {
  readonly #init: PacedCallInit<T>;
  #isOver = false;
  #failures = 0;

  constructor(init: PacedCallInit<T>) {
    this.#init = init;
    init.gate.enter(this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The answer is not wanted any more. */
  stop(): void {
    this.#isOver = true;
  }

  /** For the gate: it is this call's turn. */
  callNow(): void {
    const { gate, ask } = this.#init;
    ask().then(
      (answer) => {
        gate.done();
        this.#answered(answer);
      },
      (error) => {
        gate.done();
        this.#failed(error);
      },
    );
  }

  #answered(answer: T): void {
    if (this.#isOver) return;
    this.#isOver = true; // Before the answer is taken: who takes it may ask something else.
    if (this.#init.takeAnswer(answer)) return;
    this.#isOver = false;
    this.#askAgain(0);
  }

  #failed(error: unknown): void {
    if (this.#isOver) return;
    if (!(error instanceof HeddleError)) this.#askAgain(0);
    else if (error.code !== Code.NOT_FOUND) this.#askAgain(error.retryAfterMs);
    else {
      this.#isOver = true;
      this.#init.notFound();
    }
  }

  #askAgain(askedMs: number): void {
    const { clock, gate } = this.#init;
    const doubledMs = Math.min(READ_AGAIN_MAX_MS, READ_AGAIN_MS * 2 ** this.#failures++);
    clock.after(Math.max(askedMs, doubledMs), () => gate.enter(this));
  }
}
