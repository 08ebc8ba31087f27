import assert from "node:assert/strict";
import { hex } from "../../base/ids.ts";
import { createLog } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { Registration } from "../../registry/registration.ts";
import { SharedRegistry, SharedRegistryClient } from "../../registry/shared-registry.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { ManualLoop } from "../../testing/fakes/time/manual-loop.ts";
import { Neighbours } from "../assembly/neighbours.ts";
import { StopStack } from "../stop-stack.ts";
import { Program } from "./program.ts";
import { toldHistory } from "./told-history.ts";

describe("The history that a push server is told", () => {
  function world() {
    const [clock, loop] = [new FakeClock(), new ManualLoop()];
    const shared = new SharedRegistry(clock);
    const registry = new SharedRegistryClient(shared);
    const log = createLog({ level: "silent" });
    const neighbours = new Neighbours({
      registry,
      clock,
      tick: loop.tick,
      dial: () => assert.fail("nobody is dialled"),
      random: Math.random,
    });
    const metrics = createMetrics({ process: false });
    const program = new Program({
      ...{ service: "push", name: "push-1", clock, log, metrics, registry, neighbours },
      stack: new StopStack(log),
      stopped: new AbortController().signal,
    });
    const advance = async (ms: number) => {
      clock.advance(ms);
      await loop.settle();
    };
    /** A message server that registers with what it says of its rows. */
    const message = async (name: string, epoch: number) => {
      const details = { deployment: "0f".repeat(16), log_epoch: `${epoch}`, rows_era: "1" };
      const offer = { service: "message", name, address: "m:1", build: "b", details };
      const registration = new Registration({ registry: new SharedRegistryClient(shared), clock, offer });
      await registration.start();
      await loop.settle();
      return registration;
    };
    return { clock, program, advance, message };
  }

  it("is that of the message servers, waited for", async () => {
    const { program, advance, message } = world();
    const telling = toldHistory(program, 60_000);
    await advance(1_000);
    await message("message-1", 7);
    await advance(1_000);
    const { history } = await telling;
    assert.deepEqual([hex(history.deploymentId), history.logEpoch], ["0f".repeat(16), 7]);
  });

  it("ends with one that registers with another, and not with one that says the same", async () => {
    const { program, advance, message } = world();
    await message("message-1", 7);
    const telling = toldHistory(program, 60_000);
    await advance(1_000);
    await advance(1_000);
    const { over } = await telling;
    let why = "";
    void over.then((said) => {
      why = said;
    });
    const second = await message("message-2", 7);
    await second.revoke();
    await advance(100);
    assert.equal(why, "");
    await message("message-3", 8);
    await advance(100);
    assert.match(why, /another history/);
  });

  it("is not waited for for ever", async () => {
    const { program, advance } = world();
    const telling = assert.rejects(toldHistory(program, 1_000), /no message server is registered: start one/);
    for (let ms = 0; ms < 1_200; ms += 50) await advance(50);
    await telling;
  });
});
