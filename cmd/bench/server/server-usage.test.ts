import assert from "node:assert/strict";
import { createMetrics } from "../../../internal/base/metrics.ts";
import { parseUsage } from "./server-usage.ts";

describe("Server usage", () => {
  it("is read from the metrics that Heddle shows", async () => {
    const usage = parseUsage(await createMetrics({ process: true }).metrics());
    const { user, system } = process.cpuUsage();
    assert.ok(usage.cpuSeconds >= 0 && usage.cpuSeconds <= (user + system) / 1e6);
    assert.ok(usage.rssBytes > usage.heapBytes && usage.heapBytes > 1e6);
  });

  it("refuses metrics without the figures", () => {
    assert.throws(() => parseUsage("process_cpu_seconds_total 1\n"), /nodejs|resident/);
  });
});
