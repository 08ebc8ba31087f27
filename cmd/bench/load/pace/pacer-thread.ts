import { parentPort, workerData } from "node:worker_threads";

const { startNs, gapMs, count } = workerData as { startNs: bigint; gapMs: number; count: number };
const never = new Int32Array(new SharedArrayBuffer(4));

// Waits to the tenth of a millisecond, without spinning: Node's timers know whole milliseconds only.
for (let index = 0; index < count; index++) {
  const nowMs = Number(process.hrtime.bigint() - startNs) / 1e6;
  const waitMs = index * gapMs - nowMs;
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  parentPort?.postMessage(index);
}
