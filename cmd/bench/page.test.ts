import assert from "node:assert/strict";
import { benchPage } from "./page.ts";
import { toRecord } from "./record.ts";
import { SCENARIOS } from "./scenarios.ts";

const place = { machine: "2 × CPU, Linux 6", commit: "abc1234", at: "2026-01-02T03:04Z" };
const records = [
  { bench: "floor-sync", unit: "syncs/s", value: 1_000, p50_ms: 0.9, params: {} },
  { bench: "floor-stream", unit: "echoes/s", value: 50_000, server_cpu_us_per_delivery: 8, params: {} },
  {
    bench: "direct",
    unit: "messages/s",
    value: 20_000,
    server_cpu_us_per_delivery: 40,
    params: { clients: 100 },
  },
  { bench: "latency.arrived", unit: "ms", value: 1.5, p999_ms: 7, params: { rate_per_s: 300 } },
].map((figure) => toRecord(figure, place));

describe("The page of figures", () => {
  const page = benchPage(records, SCENARIOS);

  it("states the machine with its disk's floor", () => {
    assert.match(page, /Machine: 2 × CPU, Linux 6; one synced write of 4 KiB takes 0\.9 ms/);
  });

  it("has each figure with what it was measured with, commit, moment, and the command that repeats it", () => {
    const cells =
      "| direct | 20,000 messages/s |  |  |  | 40 µs | clients 100 | abc1234 | 2026-01-02 03:04Z | `make bench ONLY=direct` |";
    assert.ok(page.includes(cells), page);
    assert.match(page, /\| latency\.arrived \| 1\.5 ms \|.*\| 7 ms \|.*`make bench ONLY=latency` \|/);
  });

  it("sets Heddle beside the floors", () => {
    assert.match(page, /costs 5\.0 times the CPU of a bare gRPC echo/);
    assert.match(page, /20\.0 durable messages per sync/);
  });

  it("leaves out what was not measured", () => {
    assert.doesNotMatch(page, /## history/);
    assert.doesNotMatch(benchPage([], SCENARIOS), /Against the floors/);
  });
});
