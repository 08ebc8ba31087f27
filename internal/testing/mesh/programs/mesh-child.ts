import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { cacheFolder } from "../../../base/cache-folder.ts";
import { endsWithThisProcess } from "../../../engines/keeper.ts";
import { ROOT } from "../../trials/programs/heddle-process.ts";

/** One line of a program's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A program of the mesh in a process of its own. */
export class MeshChild {
  readonly service: string;
  readonly name: string;
  /** Where it was bound, by the word of the listener: host:port. */
  readonly addresses: Readonly<Record<string, string>>;
  /** From its start until it was ready, in ms. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #said: Said;

  private constructor(child: ChildProcess, said: Said, ready: Record<string, string>, startMs: number) {
    this.#child = child;
    this.#said = said;
    this.service = ready.service ?? "";
    this.name = ready.name ?? "";
    this.startMs = startMs;
    const words = Object.keys(ready).filter((key) => key.endsWith("_addr"));
    this.addresses = Object.fromEntries(words.map((key) => [key.slice(0, -5), ready[key] ?? ""]));
  }

  /** Starts one and waits until it is ready. Rejects with what it said if it ends before. Of the environment it gets PATH and `env`. */
  static async start(service: string, env: Readonly<Record<string, string>>): Promise<MeshChild> {
    const startedMs = performance.now();
    const { child, said, first } = spawnProgram(service, ["--json"], env);
    const line = await first;
    if (line === undefined) throw new Error(`${service} ended before it was ready: ${said.tail()}`);
    return new MeshChild(child, said, JSON.parse(line), performance.now() - startedMs);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Its log of the warnings and errors, and since when. */
  get log(): readonly LogLine[] {
    return this.#said.lines;
  }

  /** Resolves with the first line of the log, from its start on, for which it holds. */
  async logged(holds: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.#said.lines.find(holds);
      if (found) return found;
      await once(this.#said.events, "line");
    }
  }

  /** Asks its admin listener. */
  async admin(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`http://${this.addresses.admin}${path}`);
    return { status: response.status, text: (await response.text()).trim() };
  }

  /** Waits until it says this when it is asked whether it is ready. Rejects where it is not ready at all. */
  async readinessIs(says: RegExp): Promise<void> {
    for (;;) {
      const { status, text } = await this.admin("/readyz");
      if (status !== 200) throw new Error(`${this.name} is not ready: ${text}`);
      if (says.test(text)) return;
      await delay(50);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves to its exit code, or the signal that ended it. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | NodeJS.Signals | null> {
    const { exitCode, signalCode } = this.#child;
    if (!this.isRunning) return exitCode ?? signalCode;
    const exit = once(this.#child, "exit");
    this.#child.kill(signal);
    const [code, by] = (await exit) as [number | null, NodeJS.Signals | null];
    return code ?? by;
  }
}

/** Runs a program to its end. */
export async function runMeshProgram(
  service: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const { child, said, out } = spawnProgram(service, args, env);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out: out.join("\n"), err: said.tail() };
}

function spawnProgram(service: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const main = join(ROOT, "cmd", service, "main.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: join(cacheFolder(), "node-compile"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // Ctrl-C reaches the tests, which end it.
  });
  if (child.pid !== undefined) child.once("exit", endsWithThisProcess(child.pid, "KILL"));
  const said = new Said();
  createInterface({ input: child.stderr }).on("line", (line) => said.add(line));
  const out: string[] = [];
  const lines = createInterface({ input: child.stdout }).on("line", (line) => out.push(line));
  const first = Promise.race([
    once(lines, "line").then(([line]) => line as string),
    once(child, "close").then(() => undefined),
  ]);
  return { child, said, first, out };
}

/** What a program says on stderr: its log, and what is none of it. */
class Said {
  readonly lines: LogLine[] = [];
  readonly events = new EventTarget();
  readonly #texts: string[] = [];

  add(text: string): void {
    this.#texts.push(text);
    if (this.#texts.length > 1_000) this.#texts.shift();
    if (!text.startsWith("{")) return;
    this.lines.push(JSON.parse(text) as LogLine);
    if (this.lines.length > 10_000) this.lines.shift();
    this.events.dispatchEvent(new Event("line"));
  }

  tail(): string {
    return this.#texts.slice(-30).join("\n");
  }
}
