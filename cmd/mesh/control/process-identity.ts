import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isAlive } from "../../../internal/engines/child.ts";

/** A process, also after its number was given to another: the number alone says nothing after a crash or a reboot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the system's own terms; equal only for the same process of the same boot. */
  readonly began: string;
}

/** Of a process that runs; undefined if none of this number does. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  if (!isAlive(pid)) return undefined;
  try {
    return { pid, began: process.platform === "linux" ? beganOnLinux(pid) : beganByPs(pid) };
  } catch {
    return undefined; // It ended in between.
  }
}

/** Whether this very process still runs. */
export function isSame({ pid, began }: ProcessIdentity): boolean {
  return identityOf(pid)?.began === began;
}

function beganOnLinux(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program stands in brackets and may hold anything; the 22nd field is the 20th behind it.
  const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${ticks}`;
}

function beganByPs(pid: number): string {
  return execFileSync("ps", ["-o", "lstart=", "-p", `${pid}`], { encoding: "utf8" }).trim();
}
