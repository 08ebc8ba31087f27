import assert from "node:assert/strict";
import { Latencies } from "./latency.ts";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= expected * 0.002, `${actual} is not near ${expected}`);

describe("Latencies", () => {
  it("tell percentiles to three digits, from microseconds to minutes", () => {
    const latencies = new Latencies();
    for (let at = 1; at <= 10_000; at++) latencies.add(at / 10);
    const { p50_ms, p99_ms, p999_ms } = latencies.percentiles();
    near(p50_ms, 500);
    near(p99_ms, 990);
    near(p999_ms, 999);
    assert.equal(latencies.count, 10_000);
    latencies.reset();
    latencies.add(0.004);
    near(latencies.percentiles().p99_ms, 0.004);
    latencies.reset();
    latencies.add(300_000);
    near(latencies.percentiles().p50_ms, 300_000);
  });

  it("take what lies outside as the nearest that they know", () => {
    const latencies = new Latencies();
    latencies.add(-1);
    latencies.add(1e9);
    assert.equal(latencies.percentiles().p50_ms, 0);
    near(latencies.percentiles().p99_ms, 600_000);
  });

  it("go to another process and come together there", () => {
    const [a, b] = [new Latencies(), new Latencies()];
    for (let at = 1; at <= 100; at++) a.add(1);
    for (let at = 1; at <= 300; at++) b.add(5);
    const all = new Latencies(a.encode());
    all.addAll(new Latencies(b.encode()));
    assert.equal(all.count, 400);
    near(all.percentiles().p50_ms, 5);
    assert.equal(new Latencies(new Latencies().encode()).count, 0);
  });
});
