import assert from "node:assert/strict";
import { coresBusy, machineCpuSeconds } from "./machine-load.ts";

describe("Cores busy", () => {
  it("are those of server, loads and others, per second of the window", () => {
    const before = { atMs: 1_000, machine: 100, server: 10, loads: 5 };
    const after = { atMs: 3_000, machine: 103.5, server: 12, loads: 6 };
    assert.deepEqual(coresBusy(before, after), { server: 1, loads: 0.5, others: 0.25 });
  });

  it("are never below 0, where the machine's coarser clock says less", () => {
    const before = { atMs: 0, machine: 0, server: 0, loads: 0 };
    assert.equal(coresBusy(before, { atMs: 1_000, machine: 0.9, server: 1, loads: 0 }).others, 0);
  });

  it("come from the time that all cores were busy", () => {
    const before = machineCpuSeconds();
    const untilMs = performance.now() + 60;
    while (performance.now() < untilMs); // The machine counts in hundredths of a second.
    assert.ok(machineCpuSeconds() > before);
  });
});
