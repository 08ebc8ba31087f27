import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { LoadKinds } from "./load/main.ts";
import { type Answer, type Ask, CPU_SECONDS } from "./load/protocol.ts";

/** A load's methods, as they are called from this process: arguments and results go over as structured clones. */
export type Remote<L> = {
  readonly [K in keyof L]: L[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** The longest that one call to a load may take. */
const CALL_MS = 180_000;

/** A load in a process of its own. */
export class LoadProcess<K extends keyof LoadKinds = keyof LoadKinds> {
  readonly kind: K;
  /** The load's own methods. */
  readonly load: Remote<LoadKinds[K]>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(kind: K) {
    this.kind = kind;
    this.#child = fork(join(import.meta.dirname, "load/main.ts"), [kind], {
      serialization: "advanced",
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    this.#child.on("message", (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#child.on("exit", (code, signal) => {
      for (const [id, settle] of this.#waiting)
        settle({ id, problem: `the load ended with ${code ?? signal}` });
      this.#waiting.clear();
    });
    const ask = (method: string, args: unknown[]) => this.#ask(method, args);
    this.load = new Proxy({} as Remote<LoadKinds[K]>, {
      get: (_, method) => (method === "then" ? undefined : (...args: unknown[]) => ask(String(method), args)),
    });
  }

  /** User plus system time of its process so far, in seconds. */
  async cpuSeconds(): Promise<number> {
    return (await this.#ask(CPU_SECONDS, [])) as number;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }

  #ask(method: string, args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle({ id, problem: `${method} took too long` }), CALL_MS);
      const settle = (answer: Answer) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (answer.problem === undefined) resolve(answer.value);
        else reject(new Error(answer.problem));
      };
      this.#waiting.set(id, settle);
      const ask: Ask = { id, method, args };
      this.#child.send(ask, (error) => {
        if (error) settle({ id, problem: error.message });
      });
    });
  }
}
