import assert from "node:assert/strict";
import { createLog } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { storeWatches } from "./store-watches.ts";

describe("Store watches", () => {
  it("say in one line each that a store stopped and that it serves again, and show it in the metrics", async () => {
    const lines: string[] = [];
    const log = createLog({ level: "warn", destination: { write: (line) => void lines.push(line) } });
    const metrics = createMetrics({ process: false });
    const down = async () => /heddle_store_down\{store="message"\} (\d)/.exec(await metrics.metrics())?.[1];
    const watch = storeWatches(log, metrics)("message");
    assert.equal(await down(), "0");
    watch.failed(new Error("No space left on device"));
    assert.equal(await down(), "1");
    watch.recovered();
    assert.equal(await down(), "0");
    const said = lines.map((line) => {
      const { time, ...rest } = JSON.parse(line);
      return rest;
    });
    assert.deepEqual(said, [
      { level: "error", store: "message", why: "No space left on device", msg: "store stopped serving" },
      { level: "warn", store: "message", msg: "store serves again" },
    ]);
  });
});
