import assert from "node:assert/strict";
import type { EngineProcess, ProcessEnd, RunningEngine } from "../../../internal/engines/engine.ts";
import { FakeClock } from "../../../internal/testing/fakes/time/fake-clock.ts";
import { Restarts } from "./restarts.ts";

/** One process, `x`, that a test ends. */
class Ending implements RunningEngine {
  readonly processes = new Map<string, EngineProcess>();
  starts = 0;
  /** What a start does; by default the process runs then. */
  starting: () => Promise<void> = async () => {};
  #listener: (end: ProcessEnd) => void = () => {};

  onEnded(listener: (end: ProcessEnd) => void): void {
    this.#listener = listener;
  }

  end(why: { code?: number; signal?: string }): void {
    this.processes.clear();
    this.#listener({ name: "x", code: why.code ?? null, signal: why.signal ?? null, wasAsked: false });
  }

  async restart(): Promise<void> {
    this.starts += 1;
    await this.starting();
    this.processes.set("x", { isRunning: true } as EngineProcess);
  }

  async stop(): Promise<void> {}
}

describe("Restarts", () => {
  let clock: FakeClock;
  let engine: Ending;
  let restarts: Restarts;

  beforeEach(() => {
    clock = new FakeClock();
    engine = new Ending();
    restarts = new Restarts(clock, () => {});
    restarts.watch(engine);
  });

  /** How long after an end the next start comes, in ms. */
  async function waitMs(): Promise<number> {
    const { starts } = engine;
    let waited = 0;
    while (engine.starts === starts) {
      clock.advance(100);
      waited += 100;
      assert.ok(waited < 60_000, "it is not started again");
    }
    await new Promise(setImmediate);
    return waited;
  }

  it("wait longer for what ends again and again, and not for what has lasted", async () => {
    const waits: number[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      engine.end({ code: 1 });
      waits.push(await waitMs());
    }
    assert.deepEqual(waits, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
    clock.advance(31_000);
    engine.end({ signal: "SIGKILL" });
    assert.equal(await waitMs(), 100);
    assert.deepEqual(restarts.of("x"), {
      restarts: 11,
      why: "SIGKILL",
      endedAtMs: clock.nowMs() - 100,
      isAway: false,
    });
  });

  it("say of what cannot be started why, and go on trying", async () => {
    engine.starting = () => Promise.reject(new Error("its disk is full"));
    engine.end({ code: 1 });
    await waitMs();
    const { isAway, failed } = restarts.of("x") ?? {};
    assert.deepEqual({ isAway, failed }, { isAway: true, failed: "its disk is full" });
    engine.starting = async () => {};
    await waitMs();
    assert.equal(restarts.of("x")?.isAway, false);
    assert.equal(restarts.of("x")?.failed, undefined);
  });

  it("start one process once, however often its end is told", async () => {
    engine.end({ code: 1 });
    engine.end({ code: 1 });
    await waitMs();
    clock.advance(60_000);
    assert.equal(engine.starts, 1);
  });

  it("start nothing after they were stopped", async () => {
    engine.end({ code: 1 });
    restarts.stop();
    engine.end({ code: 1 });
    clock.advance(60_000);
    assert.equal(engine.starts, 0);
  });
});
