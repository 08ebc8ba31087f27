import { execFile } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** A tool is missing or failed. The message says what to do. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  /** True if the program is not installed; false if it ran and failed. */
  readonly isMissing: boolean;

  constructor(message: string, isMissing: boolean, cause: unknown) {
    super(message, { cause });
    this.isMissing = isMissing;
  }
}

interface More {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Gets each line that it prints, while it runs. */
  readonly onLine?: (line: string) => void;
}

/** Runs a program to its end; `advice` says how to get it. Rejects with ToolError. Returns what it printed. */
export async function runTool(
  command: string,
  args: readonly string[],
  advice: string,
  { onLine, ...more }: More = {},
): Promise<string> {
  try {
    const running = promisify(execFile)(command, args, { maxBuffer: 64 * 1024 * 1024, ...more });
    const { stdout: output } = running.child;
    if (onLine && output) createInterface({ input: output }).on("line", onLine);
    return (await running).stdout;
  } catch (cause) {
    const { code, stdout = "", stderr = "" } = cause as NodeJS.ErrnoException & Record<string, string>;
    if (code === "ENOENT") throw new ToolError(`${command} is missing: ${advice}`, true, cause);
    const said = (stderr.trim() || stdout.trim()).split("\n").slice(-5).join("\n"); // Maven speaks on stdout alone.
    throw new ToolError(`${command} ${args.slice(0, 3).join(" ")} failed: ${said}`, false, cause);
  }
}
