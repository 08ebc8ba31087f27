import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child.ts";
import type { ProcessEnd } from "./engine.ts";
import { type Part, Processes } from "./processes.ts";
import { untilSaid } from "./until.ts";

const DEADLINE_MS = 10_000;

describe("Processes", () => {
  let folder: string;
  let events: string[];
  let running: Processes | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-processes-"));
    events = [];
  });

  afterEach(async () => {
    await running?.stop();
    running = undefined;
    await rm(folder, { recursive: true });
  });

  /** A part that serves when it has said so. */
  function part(name: string, script = "echo serves; exec sleep 60"): Part {
    const log = join(folder, `${name}.log`);
    return {
      name,
      async start() {
        events.push(`start ${name}`);
        const child = await Child.start({ name, command: "/bin/sh", args: ["-c", script], log });
        child.ended.then(() => events.push(`end ${name}`));
        return child;
      },
      async serves(child) {
        await untilSaid(child, /serves/, DEADLINE_MS);
        events.push(`serves ${name}`);
      },
      stopMs: DEADLINE_MS,
    };
  }

  it("start step by step, and stop in their own order", async () => {
    const [disk, first, second] = [part("disk"), part("first"), part("second")];
    running = await Processes.start([[disk], [first, second]], [[second], [first], [disk]]);
    assert.deepEqual(events.slice(0, 3), ["start disk", "serves disk", "start first"]);
    assert.deepEqual([...running.processes.keys()], ["disk", "first", "second"]);
    events = [];
    await running.stop();
    assert.deepEqual(events, ["end second", "end first", "end disk"]);
  });

  it("are not waited for when they have written all", async () => {
    const script = "trap 'echo written' TERM; echo serves; while :; do sleep 0.05; done";
    const lingers: Part = {
      ...part("lingers", script),
      isDone: (child) => child.said().endsWith("written\n"),
    };
    running = await Processes.start([[lingers]], [[lingers]]);
    await running.stop();
    const end = await running.process("lingers").ended;
    assert.deepEqual(end, { name: "lingers", code: null, signal: "SIGKILL", wasAsked: true });
  });

  it("leave none behind when one does not serve", async () => {
    const [disk, broken] = [part("disk"), part("broken", "echo no room; exit 1")];
    const started = Processes.start([[disk], [broken]], [[broken], [disk]]);
    await assert.rejects(started, /broken ended with 1 .*\nno room$/);
    assert.equal(events.at(-1), "end disk");
  });

  it("do not wait for one that needs another which has ended", async () => {
    const waits = part("waits", "exec sleep 60");
    const needed = part("needed", "echo serves; sleep 0.2; echo out of memory; exit 3");
    const started = Processes.start([[needed], [waits]], [[waits], [needed]]);
    await assert.rejects(started, /needed ended with 3 during the start; .*out of memory$/s);
  });

  it("tell of one that ended by itself, and start it again by its name", async () => {
    const [disk, first] = [part("disk"), part("first")];
    const told = Promise.withResolvers<ProcessEnd>();
    running = await Processes.start([[disk], [first]], [[first], [disk]]);
    running.onEnded(told.resolve);
    const before = running.process("first");
    await running.restart("first");
    assert.equal(running.process("first"), before, "one that runs is left alone");
    before.kill("SIGKILL");
    assert.deepEqual(await told.promise, { name: "first", code: null, signal: "SIGKILL", wasAsked: false });
    await running.restart("first");
    assert.notEqual(running.process("first").pid, before.pid);
    assert.throws(() => running?.process("third"), /no process is called third: disk, first/);
  });

  it("start none again after they were stopped", async () => {
    running = await Processes.start([[part("disk")]], [[part("disk")]]);
    await running.stop();
    await assert.rejects(running.restart("disk"), /disk is not started again: all were stopped/);
  });
});
