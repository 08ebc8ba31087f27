import type { Answer, Ask } from "../load/protocol.ts";

/** The longest that one call to a load may take. */
const CALL_MS = 180_000;

/** What is asked of a load's process and not answered yet. */
export class LoadCalls {
  readonly #send: (ask: Ask) => void;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  /** `send` hands an ask to the process; what it cannot hand over it answers itself, with a problem. */
  constructor(send: (ask: Ask) => void) {
    this.#send = send;
  }

  /** Resolves to what the method returned. Rejects with the process's problem, or after CALL_MS. */
  ask(method: string, args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.answer({ id, problem: `${method} took too long` }), CALL_MS);
      this.#waiting.set(id, ({ value, problem }) => {
        clearTimeout(timer);
        if (problem === undefined) resolve(value);
        else reject(new Error(problem));
      });
      this.#send({ id, method, args });
    });
  }

  /** An answer has come. */
  answer(answer: Answer): void {
    const settle = this.#waiting.get(answer.id);
    // An answer that comes after its deadline finds nobody, and is dropped.
    this.#waiting.delete(answer.id);
    settle?.(answer);
  }

  /** The process has ended: nothing more is answered. */
  end(problem: string): void {
    for (const id of [...this.#waiting.keys()]) this.answer({ id, problem });
  }
}
