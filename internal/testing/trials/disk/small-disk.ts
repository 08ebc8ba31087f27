import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** Namespaces to try: what root may have, and what anybody may where the machine lets users have their own. */
const NAMESPACES = [
  { unshare: "-m", enter: ["-m"] },
  { unshare: "-rm", enter: ["-U", "-m", "--preserve-credentials"] },
] as const;

/** Mounts on the folder $0, of $1 MiB, says so, and stays until its input ends. */
const HOLD = 'mount -t tmpfs -o "size=$1m" tmpfs "$0" && echo mounted && exec cat >/dev/null';

/**
 * A disk of a few MiB that only those see who are started with `launcher`. It lives in a mount namespace that a child
 * holds for as long as this process keeps a pipe to it, so it is gone with the test, however that ends.
 */
export class SmallDisk {
  /** Goes before a command that is to see it. */
  readonly launcher: readonly string[];
  /** Where those see it. */
  readonly folder: string;
  readonly #holder: ChildProcess;
  readonly #filler: string;

  private constructor(folder: string, holder: ChildProcess, enter: readonly string[]) {
    this.folder = folder;
    this.#holder = holder;
    this.launcher = ["nsenter", "-t", String(holder.pid), ...enter, "--"];
    this.#filler = join(`/proc/${holder.pid}/root`, folder, "filler");
  }

  /** Rejects, saying why, where this machine refuses both namespaces. */
  static async make(mib: number): Promise<SmallDisk> {
    const folder = await mkdtemp(join(tmpdir(), "heddle-small-"));
    const refusals: string[] = [];
    for (const { unshare, enter } of NAMESPACES) {
      const holder = spawn("unshare", [unshare, "sh", "-c", HOLD, folder, String(mib)]);
      holder.stderr.on("data", (chunk) => refusals.push(`unshare ${unshare}: ${String(chunk).trim()}`));
      const lines = createInterface({ input: holder.stdout });
      const [said] = await Promise.race([once(lines, "line"), once(holder, "close"), once(holder, "error")]);
      if (said === "mounted") return new SmallDisk(folder, holder, enter);
      if (said instanceof Error) refusals.push(said.message);
    }
    await rm(folder, { recursive: true });
    throw new Error(`no small disk here: ${refusals.join("; ")}`);
  }

  /** Leaves no byte free. */
  fill(): void {
    const file = openSync(this.#filler, "w");
    try {
      for (let bytes = 1 << 20; bytes >= 1; bytes = Math.floor(bytes / 2)) {
        try {
          for (;;) writeSync(file, new Uint8Array(bytes));
        } catch {
          // No room for this many: fill what is left with less.
        }
      }
    } finally {
      closeSync(file);
    }
  }

  /** Gives back what `fill` took. */
  free(): void {
    rmSync(this.#filler);
  }

  /** Makes it this many MiB large, with all that is on it. */
  async resize(mib: number): Promise<void> {
    const [command = "", ...args] = this.launcher;
    await promisify(execFile)(command, [...args, "mount", "-o", `remount,size=${mib}m`, this.folder]);
  }

  /** Removes it. All that was started on it must have ended. */
  async remove(): Promise<void> {
    const closed = once(this.#holder, "close");
    this.#holder.stdin?.end();
    await closed;
    await rm(this.folder, { recursive: true });
  }
}
