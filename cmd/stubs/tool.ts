import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../internal/base/cache-folder.ts";

/** The folder of the project. */
export const ROOT = join(import.meta.dirname, "../..");

/** A generator, or what it needs, is missing or failed. The message says what to do. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  /** True if a program is not installed; false if it ran and failed. */
  readonly isMissing: boolean;

  constructor(message: string, isMissing: boolean, cause: unknown) {
    super(message, { cause });
    this.isMissing = isMissing;
  }
}

/** Runs a program to its end; `advice` says how to get it. Rejects with ToolError. Returns what it printed. */
export async function runTool(
  command: string,
  args: readonly string[],
  advice: string,
  more: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { maxBuffer: 64 * 1024 * 1024, ...more });
    return stdout;
  } catch (cause) {
    const { code, stdout = "", stderr = "" } = cause as NodeJS.ErrnoException & Record<string, string>;
    if (code === "ENOENT") throw new ToolError(`${command} is missing: ${advice}`, true, cause);
    const said = (stderr.trim() || stdout.trim()).split("\n").slice(-5).join("\n"); // Maven speaks on stdout alone.
    throw new ToolError(`${command} ${args.slice(0, 3).join(" ")} failed: ${said}`, false, cause);
  }
}

const underWay = new Map<string, Promise<string>>();

/**
 * A folder of the cache (README.md), filled by `fill` if `witness` is not in it.
 * It is filled under another name and renamed when complete, so that an interrupted run leaves nothing half-built
 * in its place, and of two runs at once the first to finish wins and both return a complete folder.
 */
export function cached(
  name: string,
  witness: string,
  fill: (target: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheFolder(), name);
  const running = underWay.get(folder);
  if (running) return running;
  const filled = fillOnce(folder, witness, fill).finally(() => underWay.delete(folder));
  underWay.set(folder, filled);
  return filled;
}

async function fillOnce(
  folder: string,
  witness: string,
  fill: (target: string) => Promise<void>,
): Promise<string> {
  const complete = () => existsSync(join(folder, witness));
  if (complete()) return folder;
  const target = `${folder}.part-${randomUUID()}`;
  await mkdir(target, { recursive: true });
  try {
    await fill(target);
    if (!existsSync(join(target, witness))) throw new Error(`${name(folder)} was built without ${witness}`);
    // Without its witness (the machine's Python was replaced, say) an old folder would stand in the way.
    if (!complete()) await rm(folder, { recursive: true, force: true });
    await rename(target, folder);
  } catch (error) {
    if (!complete()) throw error;
  } finally {
    await rm(target, { recursive: true, force: true });
  }
  return folder;
}

function name(folder: string): string {
  return folder.slice(dirname(folder).length + 1);
}

/** One plugin of a buf template. */
export interface BufPlugin {
  readonly local?: readonly string[] | string;
  readonly protoc_builtin?: string;
  readonly protoc_path?: string;
  readonly out: string;
  readonly opt?: readonly string[];
  readonly include_imports?: boolean;
}

/** Runs `buf generate` over Heddle's own files, without the validation rules, whose package few languages have. */
export async function bufGenerate(folder: string, plugins: readonly BufPlugin[]): Promise<void> {
  const inputs = [{ directory: ROOT, paths: ["proto/heddle"], exclude_types: ["buf.validate"] }];
  const template = JSON.stringify({ version: "v2", plugins, inputs });
  await runTool(
    join(ROOT, "node_modules/.bin/buf"),
    ["generate", "--template", template, "-o", folder],
    "run make install",
    { cwd: ROOT },
  );
}
