import assert from "node:assert/strict";
import { compareRecords, comparisonTable } from "./comparison.ts";
import type { BenchRecord } from "./record.ts";

const record = (bench: string, value: number, cpu: number | null, at: string): BenchRecord => ({
  bench,
  unit: "messages/s",
  value,
  p50_ms: null,
  p99_ms: null,
  server_cpu_us_per_delivery: cpu,
  rss_kb_per_stream: null,
  params: { clients: 2, at },
  machine: "m",
  commit: "c",
});

describe("a comparison of two servers", () => {
  it("sets medians beside each other, figure by figure", () => {
    const before = [
      record("direct", 100, 50, "1"),
      record("direct", 300, 10, "2"),
      record("direct", 200, 40, "3"),
    ];
    const after = [
      record("direct", 400, 20, "4"),
      record("direct", 90, 80, "5"),
      record("direct", 380, 22, "6"),
    ];
    const [direct, ...others] = compareRecords(before, [...after, record("new", 1, 1, "7")]);
    assert.deepEqual(others, [], "what only one of them has is left out");
    assert.deepEqual(direct?.value, { before: 200, after: 380, ratio: 1.9 });
    assert.deepEqual(direct?.cpuUs, { before: 40, after: 22, ratio: 0.55 });
    assert.equal(
      comparisonTable(direct ? [direct] : []),
      "direct: 200 → 380 (× 1.900) messages/s; CPU each 40 → 22 (× 0.550) µs\n",
    );
  });

  it("tells no CPU where none was measured", () => {
    const [idle] = compareRecords([record("idle", 8, null, "1")], [record("idle", 4, null, "2")]);
    assert.equal(idle?.cpuUs, undefined);
  });
});
