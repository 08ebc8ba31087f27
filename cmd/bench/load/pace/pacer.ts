import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** How long the schedule waits for its thread to start. */
const LEAD_MS = 200;

/** A schedule with a fixed rate: an open loop. */
export interface Pace {
  readonly perSecond: number;
  readonly count: number;
}

/**
 * Calls back for each moment of a schedule, with its number and the moment it was due (performance.now), never early.
 * A moment that passes while this thread is busy is called back as soon as it is free, with the moment it was due.
 * Resolves after the last, or when `stop` aborts.
 */
export async function pace(
  { perSecond, count }: Pace,
  onDue: (index: number, dueMs: number) => void,
  stop?: AbortSignal,
): Promise<void> {
  const gapMs = 1_000 / perSecond;
  const startMs = performance.now() + LEAD_MS;
  const startNs = process.hrtime.bigint() + BigInt(LEAD_MS) * 1_000_000n;
  const thread = new Worker(new URL("./pacer-thread.ts", import.meta.url), {
    workerData: { startNs, gapMs, count },
  });
  let next = 0;
  const due = () => {
    if (stop?.aborted) return;
    const nowMs = performance.now();
    for (; next < count && startMs + next * gapMs <= nowMs; next++) onDue(next, startMs + next * gapMs);
  };
  thread.on("message", due);
  stop?.addEventListener("abort", () => void thread.terminate(), { once: true });
  // Messages that came before its exit were taken: what is left below is what was due while this thread was busy.
  await once(thread, "exit");
  while (next < count && !stop?.aborted) {
    due();
    if (next < count) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
