import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { startHeddle } from "../../../app/all-in-one.ts";
import { developmentConfig } from "../../../app/settings/config.ts";
import type { Addresses } from "./heddle-process.ts";

/** What a test asks of the child, and is answered. */
export interface Answers {
  /** Sent once, when it serves. */
  readonly ready: Addresses;
  /** Bytes in use after collections: heap, external and array buffers. */
  readonly memory: number;
  /** The most bytes that were ever seen queued for one client. */
  readonly queuedMax: number;
}

/** How often it is looked what is queued, in ms. */
const SAMPLE_MS = 2;

// Heddle in a process of its own that a test can ask for its memory: `fork(…, [dataDir])`.
const heddle = await startHeddle(developmentConfig(process.argv[2] ?? ""));
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

let queuedMax = 0;
const gauge = heddle.metrics.getSingleMetric("heddle_push_queued_bytes_max");
setInterval(async () => {
  const sample = await gauge?.get();
  for (const { value } of sample?.values ?? []) queuedMax = Math.max(queuedMax, value);
}, SAMPLE_MS);

process.on("message", async (question: keyof Answers | "stop") => {
  if (question === "stop") {
    await heddle.close();
    process.exit(0);
  }
  if (question === "memory") {
    for (let time = 0; time < 6; time++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed, external } = process.memoryUsage(); // `external` has the array buffers in it.
    process.send?.({ memory: heapUsed + external } satisfies Partial<Answers>);
  }
  if (question === "queuedMax") process.send?.({ queuedMax } satisfies Partial<Answers>);
});

const { grpcUrl, webUrl, adminUrl } = heddle;
process.send?.({ ready: { grpcUrl, webUrl, adminUrl } } satisfies Partial<Answers>);
