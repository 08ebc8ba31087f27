import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Latencies } from "../load/counts/latency.ts";
import type { Scenario } from "../scenario.ts";
import { scratchFolder } from "../server/scratch-folder.ts";

// A page of the file system: a smaller append writes as much.
const BLOCK_BYTES = 4_096;

/** What one durable write costs here, whatever writes it: no append is accepted sooner. */
export const floorSync: Scenario = {
  name: "floor-sync",
  about: `The disk's floor: ${BLOCK_BYTES} bytes appended to a file on the same disk and fsync'ed, one after another.`,
  run: async (stage) => {
    const folder = await scratchFolder();
    const latencies = new Latencies();
    const file = await open(join(folder, "log"), "a");
    const startedMs = performance.now();
    try {
      const block = Buffer.alloc(BLOCK_BYTES, 1);
      // A third of a window is some thousand syncs on a fast disk; a slow one needs no more to be known.
      const untilMs = startedMs + stage.scale.windowMs / 3;
      for (let beganMs = startedMs; beganMs < untilMs; beganMs = performance.now()) {
        await file.write(block);
        await file.sync();
        latencies.add(performance.now() - beganMs);
      }
    } finally {
      await file.close();
      await rm(folder, { recursive: true, force: true });
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    return [
      {
        bench: "floor-sync",
        unit: "syncs/s",
        value: latencies.count / seconds,
        ...latencies.percentiles(),
        params: { block_bytes: BLOCK_BYTES },
      },
    ];
  },
};
