import assert from "node:assert/strict";
import { SCENARIOS } from "../scenarios.ts";
import { benchPage } from "./page.ts";
import { toRecord } from "./record.ts";

const place = { machine: "2 × CPU, Linux 6", commit: "abc1234", at: "2026-01-02T03:04Z" };
const records = [
  { bench: "floor-sync", unit: "syncs/s", value: 1_000, p50_ms: 0.5, params: {} },
  { bench: "floor-stream", unit: "echoes/s", value: 50_000, server_cpu_us_per_delivery: 8, params: {} },
  {
    bench: "direct",
    unit: "messages/s",
    value: 20_000,
    server_cpu_us_per_delivery: 40,
    params: { clients: 100 },
  },
  {
    bench: "floor-stream.echoed",
    unit: "ms",
    value: 0.2,
    p99_ms: 2,
    server_cpu_us_per_delivery: 100,
    params: { rate_per_s: 300 },
  },
  { bench: "floor-stream.echoed", unit: "ms", value: 0.4, p99_ms: 9, params: { rate_per_s: 1_000 } },
  {
    bench: "latency.arrived",
    unit: "ms",
    value: 1.5,
    p50_ms: 1.5,
    p99_ms: 5,
    server_cpu_us_per_delivery: 700,
    p999_ms: 7,
    params: { rate_per_s: 300 },
  },
  { bench: "presence.online", unit: "ms", value: 3_100, p50_ms: 3_100, params: {} },
].map((figure) => toRecord(figure, place));

describe("The page of figures", () => {
  const page = benchPage(records, SCENARIOS);

  it("states the machine with its floors", () => {
    const floors = "a bare gRPC echo takes 8 µs of CPU; one synced write of 4 KiB takes 0.5 ms (p50)";
    assert.ok(page.includes(`Machine: 2 × CPU, Linux 6; ${floors}`), page);
  });

  it("has each figure with what it was measured with, its ratio to the floor, commit and moment", () => {
    const cells =
      "| direct | 20,000 messages/s |  |  |  | 40 µs | clients 100 | CPU 5 × an echo, 20 per sync | abc1234 | 2026-01-02 03:04Z |";
    assert.ok(page.includes(cells), page);
    assert.match(
      page,
      /\| latency\.arrived \| 1\.5 ms \|.*\| 7 ms \|.*\| CPU 7 × an echo, p50 3 × a sync, p99 2\.5 × an echo's \|/,
    );
  });

  it("leaves the floors themselves without a ratio", () => {
    assert.match(page, /\| floor-stream\.echoed \| 0\.2 ms \|.*\| {2}\| abc1234 \|/);
  });

  it("sets beside a sync only what waits for one", () => {
    assert.match(page, /\| presence\.online \| 3,100 ms \|.*\| {2}\| abc1234 \|/);
  });

  it("takes the floors of the same machine", () => {
    const elsewhere = records.map((record) => ({ ...record, machine: "4 × CPU" })).slice(2);
    assert.match(
      benchPage([...records.slice(0, 2), ...elsewhere], SCENARIOS),
      /\| direct .*\| {2}\| abc1234 \|/,
    );
  });

  it("has the command that measures each again", () => {
    assert.match(page, /## latency\n\n.+\n\n`make bench ONLY=latency`\n/);
  });

  it("leaves out what was not measured", () => {
    assert.doesNotMatch(page, /## history/);
    assert.doesNotMatch(benchPage([], SCENARIOS), /##/);
  });
});
