import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, statSync } from "node:fs";
import { EngineError, type EngineProcess, type ProcessEnd, type Signal } from "./engine.ts";
import { endsWithThisProcess } from "./keeper.ts";

/** At a start a log longer than this is put aside as `<log>.1`, in the place of an older one. */
const LONGEST_LOG_BYTES = 16 * 1024 * 1024;

/** What a child is. */
export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What it prints goes to the end of this file, written by itself: a busy or paused parent does not hold it up. */
  readonly log: string;
  readonly cwd?: string;
  /** Instead of this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** For servers that refuse root. The log is opened before. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What ends it and its children when this process has ended without stopping it (default KILL). */
  readonly orphanSignal?: "KILL" | "INT" | "QUIT" | "TERM";
}

/**
 * A started process, its own process group, that ends with this process. It does not keep this process from ending: who
 * starts it and waits for nothing else loses it.
 */
export class Child implements EngineProcess {
  readonly name: string;
  readonly log: string;
  /** How long the log was when it started: what it printed stands behind. */
  readonly logStart: number;
  readonly ended: Promise<ProcessEnd>;
  readonly #process: ChildProcess;
  #end: ProcessEnd | undefined;
  #wasAsked = false;

  private constructor(options: ChildOptions, process: ChildProcess, logStart: number) {
    this.name = options.name;
    this.log = options.log;
    this.logStart = logStart;
    this.#process = process;
    const forget = endsWithThisProcess(this.pid, options.orphanSignal ?? "KILL");
    this.ended = new Promise((resolve) => {
      process.once("exit", (code, signal) => {
        forget();
        this.#end = { name: this.name, code, signal, wasAsked: this.#wasAsked };
        resolve(this.#end);
      });
    });
    process.unref();
  }

  /** Rejects with EngineError if the command is not there. */
  static async start(options: ChildOptions): Promise<Child> {
    putLongLogAside(options.log);
    const log = openSync(options.log, "a");
    try {
      const logStart = statSync(options.log).size;
      const child = spawn(options.command, options.args, {
        cwd: options.cwd,
        env: options.env ?? process.env,
        detached: true,
        stdio: ["ignore", log, log],
        ...options.user,
      });
      await once(child, "spawn");
      return new Child(options, child, logStart);
    } catch (cause) {
      const why = (cause as Error).message;
      throw new EngineError(`${options.name} could not be started: ${why}`, { cause });
    } finally {
      closeSync(log);
    }
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  get isRunning(): boolean {
    return this.#end === undefined;
  }

  kill(signal: Signal): void {
    if (this.isRunning) process.kill(this.pid, signal);
  }

  /**
   * Asks it to end, wakes it if it is paused, and kills it and all of its group if it still runs after `deadlineMs`.
   * Resolves when it has ended, with whether it did so when asked.
   */
  async stop(deadlineMs: number, signal: "SIGTERM" | "SIGINT" = "SIGTERM"): Promise<boolean> {
    if (!this.isRunning) return true;
    this.#wasAsked = true;
    this.kill(signal);
    this.kill("SIGCONT");
    let wasKilled = false;
    const timer = setTimeout(() => {
      wasKilled = true;
      this.killGroup();
    }, deadlineMs);
    await this.finish();
    clearTimeout(timer);
    return !wasKilled;
  }

  /** Waits for one that does its work and ends, and keeps this process from ending until then. */
  async finish(): Promise<ProcessEnd> {
    if (this.isRunning) this.#process.ref();
    return await this.ended;
  }

  /** Ends it and its children at once, as asked for. */
  killGroup(): void {
    if (!this.isRunning) return;
    this.#wasAsked = true;
    process.kill(-this.pid, "SIGKILL");
  }

  /** What it printed, at most the last `bytes`. */
  said(bytes = LONGEST_LOG_BYTES): string {
    const log = openSync(this.log, "r");
    try {
      const { size } = fstatSync(log);
      const from = Math.max(this.logStart, size - bytes);
      const text = Buffer.alloc(Math.max(0, size - from));
      return text.toString("utf8", 0, readSync(log, text, 0, text.length, from));
    } finally {
      closeSync(log);
    }
  }

  /** The last lines that it printed, for an error that says why it failed. */
  lastWords(lines = 12): string {
    const said = this.said(16_384).trimEnd().split("\n").slice(-lines).join("\n");
    return said === "" ? `it printed nothing (${this.log})` : `the end of ${this.log}:\n${said}`;
  }
}

/** Whether a process of this id runs: a zombie, which nobody has waited for, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === "EPERM" && !isZombie(pid);
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return /^ [ZX]/.test(stat.slice(stat.lastIndexOf(")") + 1));
  } catch {
    return false; // No /proc: kill(2) is all that there is.
  }
}

function putLongLogAside(log: string): void {
  try {
    if (statSync(log).size > LONGEST_LOG_BYTES) renameSync(log, `${log}.1`);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== "ENOENT") throw fault;
  }
}
