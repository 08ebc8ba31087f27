import { quiet } from "../interleaving.ts";

/** Which calls of a history are under way on stores that are elsewhere: none may go on into the next history. */
export class HistoryCalls {
  readonly #calls = new Set<Promise<unknown>>();

  /** `target` as it is, but for calls being noted. Each is made once `before` has resolved. */
  noting<T extends object>(target: T, before: () => Promise<unknown> = async () => {}): T {
    return new Proxy(target, {
      get: (_target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) => this.#under(before().then(() => method.apply(target, args)));
      },
    });
  }

  /** Resolves when no call is under way and nothing makes another. */
  async settle(): Promise<void> {
    for (await quiet(); this.#calls.size > 0; await quiet()) await Promise.allSettled(this.#calls);
  }

  #under<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    const end = () => this.#calls.delete(call);
    call.then(end, end);
    return call;
  }
}
