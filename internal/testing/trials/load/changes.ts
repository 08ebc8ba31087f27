import { systemClock } from "../../../base/clock.ts";

/** Says that something changed, and waits for what is to become true: by events, never by looking again after a time. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  /** Something changed: every wait looks again. */
  readonly say = (): void => {
    for (const look of [...this.#waiting]) look();
  };

  /** Resolves when it is true. After `withinMs` it rejects with what was waited for, and what `why` says of it. */
  until(what: string, isTrue: () => boolean, withinMs: number, why: () => string = () => ""): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        cancel();
        this.#waiting.delete(look);
        settle();
      };
      const look = () => isTrue() && done(resolve);
      const cancel = systemClock.after(withinMs, () =>
        done(() => reject(new Error(`${what}: not within ${withinMs} ms. ${why()}`))),
      );
      this.#waiting.add(look);
      look();
    });
  }
}
