import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** One JSON object that a child printed. */
export type Said = Readonly<Record<string, unknown>>;

/** How long something that must come is waited for, in ms. */
const PATIENCE_MS = 20_000;

/** A client as a child process that prints JSON objects and is told JSON objects, a line each. */
export class JsonChild {
  /** Everything it printed, in order. */
  readonly said: Said[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #stderr = "";
  #waiters: (() => void)[] = [];

  /**
   * Starts it. Objects stand on a line each or, as grpcurl prints them, over several, of which the last begins with
   * the closing brace.
   */
  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(command, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr?.on("data", (chunk) => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-10_000);
    });
    this.#child.stdin?.on("error", () => {}); // Its end says it.
    let rest = "";
    let object = "";
    // By hand: readline would end a line at U+2028 too, which may stand in a text.
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        object += line;
        if (!isEnd(line)) continue;
        this.said.push(JSON.parse(object));
        object = "";
      }
      this.#wake();
    });
    this.#ended = once(this.#child, "close").then(([code]) => code as number | null);
    this.#ended.then(() => this.#wake());
  }

  /** The last 10,000 characters. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Tells it an object. */
  tell(object: object): void {
    this.#child.stdin?.write(`${JSON.stringify(object)}\n`);
  }

  /** Resolves when `isThere` says so, asked after each thing that it prints. Rejects with what it printed instead. */
  async until(what: string, isThere: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    while (!isThere()) {
      if (late.aborted || this.#child.exitCode !== null) throw new Error(`no ${what}: ${this.#report()}`);
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        late.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Ends its input. Resolves to its exit code. */
  end(): Promise<number | null> {
    this.#child.stdin?.end();
    return this.#ended;
  }

  /** Ends it at once. Resolves when it is gone. */
  kill(): Promise<number | null> {
    this.#child.kill("SIGKILL");
    return this.#ended;
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  #report(): string {
    const last = this.said.slice(-5).map((one) => JSON.stringify(one).slice(0, 300));
    return [`exit code ${this.#child.exitCode}`, ...last, this.#stderr.slice(-2_000)].join("\n");
  }
}

/** The line that ends an object: the closing brace of several, or all of it. */
function isEnd(line: string): boolean {
  return line.startsWith("}") || (line.startsWith("{") && line.endsWith("}"));
}
