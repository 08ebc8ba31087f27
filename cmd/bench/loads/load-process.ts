import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { LoadKinds } from "../load/main.ts";
import { type Answer, CPU_SECONDS } from "../load/protocol.ts";
import { LoadCalls } from "./load-calls.ts";

/** A load's methods, as they are called from this process: arguments and results go over as structured clones. */
export type Remote<L> = {
  readonly [K in keyof L]: L[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** A load in a process of its own, started here. It ends with this one: its channel closes. */
export class LoadProcess<K extends keyof LoadKinds = keyof LoadKinds> {
  readonly kind: K;
  /** The load's own methods. */
  readonly load: Remote<LoadKinds[K]>;
  readonly #child: ChildProcess;
  readonly #calls: LoadCalls;

  constructor(kind: K) {
    this.kind = kind;
    this.#child = fork(join(import.meta.dirname, "../load/main.ts"), [kind], {
      serialization: "advanced",
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    this.#calls = new LoadCalls((ask) => {
      this.#child.send(ask, (error) => {
        if (error) this.#calls.answer({ id: ask.id, problem: error.message });
      });
    });
    this.#child.on("message", (answer: Answer) => this.#calls.answer(answer));
    this.#child.on("exit", (code, signal) => this.#calls.end(`the load ended with ${code ?? signal}`));
    this.load = new Proxy({} as Remote<LoadKinds[K]>, {
      get: (_, method) =>
        // Else an `await` of the proxy would call a method `then` of the load.
        method === "then" ? undefined : (...args: unknown[]) => this.#calls.ask(String(method), args),
    });
  }

  /** User plus system time of its process so far, in seconds. */
  async cpuSeconds(): Promise<number> {
    return (await this.#calls.ask(CPU_SECONDS, [])) as number;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
