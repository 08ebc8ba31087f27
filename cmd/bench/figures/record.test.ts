import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appendRecords, newest, readRecords, toRecord } from "./record.ts";

const place = { machine: "2 × CPU", commit: "abc1234", at: "2026-01-02T03:04Z" };

describe("Records", () => {
  it("have the fields that the design names, null where nothing was measured, to three digits", () => {
    const figure = {
      bench: "direct",
      unit: "messages/s",
      value: 20_123.4,
      p50_ms: 0.51234,
      p999_ms: 7.6543,
      params: { clients: 100 },
    };
    assert.deepEqual(toRecord(figure, place), {
      bench: "direct",
      unit: "messages/s",
      value: 20_100,
      p50_ms: 0.512,
      p99_ms: null,
      server_cpu_us_per_delivery: null,
      rss_kb_per_stream: null,
      params: { clients: 100, p999_ms: 7.65, at: "2026-01-02T03:04Z" },
      machine: "2 × CPU",
      commit: "abc1234",
    });
  });

  it("refuse what is no figure, as of a window in which nothing happened", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1])
      assert.throws(() => toRecord({ bench: "x", unit: "s", value, params: {} }, place), RangeError);
    const figure = { bench: "x", unit: "s", value: 1, server_cpu_us_per_delivery: Number.NaN, params: {} };
    assert.throws(() => toRecord(figure, place), RangeError);
  });

  it("are kept one a line, and the newest of equal bench and parameters counts", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-bench-"));
    try {
      const path = join(folder, "new/results.jsonl");
      assert.deepEqual(await readRecords(path), []);
      const record = (value: number, rate: number, at: string) =>
        toRecord(
          {
            bench: "latency",
            unit: "ms",
            value,
            params: { rate, others_cores: value, deliveries_per_s: value },
          },
          { ...place, at },
        );
      await appendRecords(path, [record(1, 300, "t1"), record(2, 1_000, "t1")]);
      await appendRecords(path, [record(3, 300, "t2")]);
      const kept = await readRecords(path);
      assert.equal(kept.length, 3);
      assert.deepEqual(
        newest(kept).map(({ value }) => value),
        [3, 2],
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
