import { setTimeout as delay } from "node:timers/promises";
import { EngineError } from "../../../internal/engines/engine.ts";
import { isSame, type ProcessIdentity } from "./process-identity.ts";

/** How long a process of a supervisor that was killed may take to end when asked. */
const END_MS = 10_000;
const LOOK_EVERY_MS = 50;

/**
 * Ends the processes that a supervisor which was killed has left, by their ids: only those that are still the same. Asks
 * them first, and kills what has not ended in time. Resolves to the names of those that
 * still ran. Rejects with EngineError if one cannot be killed.
 */
export async function endLeftOvers(
  processes: Readonly<Record<string, ProcessIdentity>>,
): Promise<readonly string[]> {
  const left = Object.entries(processes).filter(([, identity]) => isSame(identity));
  await Promise.all(left.map(([, identity]) => endOne(identity)));
  return left.map(([name]) => name);
}

async function endOne(identity: ProcessIdentity): Promise<void> {
  send(identity, "SIGTERM");
  send(identity, "SIGCONT");
  if (await hasEnded(identity)) return;
  send(identity, "SIGKILL");
  if (await hasEnded(identity)) return;
  throw new EngineError(`process ${identity.pid} of the last mesh does not end: end it, then start again`);
}

async function hasEnded(identity: ProcessIdentity): Promise<boolean> {
  const end = performance.now() + END_MS;
  while (isSame(identity)) {
    if (performance.now() > end) return false;
    await delay(LOOK_EVERY_MS);
  }
  return true;
}

function send({ pid }: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {} // It has ended.
}
