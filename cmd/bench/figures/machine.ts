import { execFileSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";
import { ROOT } from "../folders.ts";
import type { RunPlace } from "./record.ts";

/** This machine, commit and moment. A commit with a `+` had changes on top. */
export function runPlace(): RunPlace {
  return { machine: machine(), commit: commit(), at: `${new Date().toISOString().slice(0, 16)}Z` };
}

/** What figures depend on, in one line. Records are compared only where it is equal. */
function machine(): string {
  const cores = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const cpu = cores[0]?.model.trim() || "unknown CPU";
  return `${cores.length} × ${cpu}, ${memory}, ${type()} ${release()}, Node ${process.versions.node}`;
}

/** `unknown` outside of a git checkout, such as an unpacked archive. */
function commit(): string {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
  try {
    // What the figures depend on; another program's unfinished files do not matter.
    const dirty = git("status", "--porcelain", "--", "internal", "package-lock.json") === "" ? "" : "+";
    return `${git("rev-parse", "--short", "HEAD")}${dirty}`;
  } catch {
    return "unknown";
  }
}
