import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setImmediate as turn } from "node:timers/promises";
import { Child, isAlive } from "./child.ts";
import { until, untilListening, untilSaid } from "./until.ts";

const DEADLINE_MS = 10_000;

describe("Child", () => {
  let folder: string;
  const running: Child[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-child-"));
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((child) => child.stop(0)));
    await rm(folder, { recursive: true });
  });

  async function start(script: string, name = "server"): Promise<Child> {
    const log = join(folder, `${name}.log`);
    const child = await Child.start({ name, command: "/bin/sh", args: ["-c", script], log });
    running.push(child);
    return child;
  }

  it("writes what it prints to its log, behind what earlier ones printed", async () => {
    const first = await start("echo one; echo two >&2");
    assert.equal((await first.ended).code, 0);
    const second = await start("echo three");
    await second.ended;
    assert.equal(first.said(), "one\ntwo\nthree\n");
    assert.equal(second.said(), "three\n");
  });

  it("puts a log that is too long aside when it starts again", async () => {
    await (await start("echo one")).ended;
    await truncate(join(folder, "server.log"), 17 * 1024 * 1024);
    const second = await start("echo two");
    await second.ended;
    assert.equal(second.said(), "two\n");
    assert.equal((await stat(join(folder, "server.log.1"))).size, 17 * 1024 * 1024);
  });

  it("says of an end whether it was asked for", async () => {
    const crashed = await start("exit 3");
    assert.deepEqual(await crashed.ended, { name: "server", code: 3, signal: null, wasAsked: false });
    const killed = await start("exec sleep 60");
    killed.kill("SIGKILL");
    assert.deepEqual(await killed.ended, { name: "server", code: null, signal: "SIGKILL", wasAsked: false });
    const stopped = await start("exec sleep 60");
    assert.equal(await stopped.stop(DEADLINE_MS), true);
    assert.deepEqual(await stopped.ended, { name: "server", code: null, signal: "SIGTERM", wasAsked: true });
  });

  it("kills one that will not stop, and its children with it", async () => {
    const child = await start("trap '' TERM; sleep 60 & echo $!; while :; do wait; done");
    await untilSaid(child, /\d+\n/, DEADLINE_MS);
    assert.equal(await child.stop(20), false);
    assert.equal((await child.ended).signal, "SIGKILL");
    const grandchild = Number(child.said());
    while (isAlive(grandchild)) await turn();
  });

  it("stops one that is paused", async () => {
    const child = await start("exec sleep 60");
    child.kill("SIGSTOP");
    assert.equal(await child.stop(DEADLINE_MS), true);
  });

  it("does nothing to one that has ended", async () => {
    const child = await start("exit 0");
    await child.ended;
    child.kill("SIGKILL");
    assert.equal(await child.stop(DEADLINE_MS), true);
    assert.equal(child.isRunning, false);
  });

  it("refuses a command that is not there, naming the child", async () => {
    const log = join(folder, "etcd.log");
    const started = Child.start({ name: "etcd", command: join(folder, "none"), args: [], log });
    await assert.rejects(started, /etcd could not be started: .*ENOENT/);
  });

  it("is ended by what started it, even if that is killed", async () => {
    const script = `const { Child } = await import(${JSON.stringify(join(import.meta.dirname, "child.ts"))});
      const log = ${JSON.stringify(join(folder, "orphan.log"))};
      const args = ["-c", "sleep 60 & echo $!; wait"];
      const child = await Child.start({ name: "orphan", command: "/bin/sh", args, log });
      const ended = await Child.start({ name: "ended", command: "/bin/sh", args: ["-c", ":"], log });
      setInterval(() => {}, 1000);
      await ended.ended;
      console.log(child.pid);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script]);
    const [pid] = await once(createInterface({ input: parent.stdout }), "line");
    assert.equal(isAlive(Number(pid)), true);
    parent.kill("SIGKILL");
    while (isAlive(Number(pid))) await turn();
  });

  it("does not keep what started it from ending, and ends before its folder is removed", async () => {
    const data = join(folder, "its data");
    await mkdir(data);
    const script = `const { Child } = await import(${JSON.stringify(join(import.meta.dirname, "child.ts"))});
      const log = ${JSON.stringify(join(folder, "left.log"))};
      const { removedWithThisProcess } = await import(${JSON.stringify(join(import.meta.dirname, "keeper.ts"))});
      removedWithThisProcess(${JSON.stringify(data)});
      const child = await Child.start({ name: "left", command: "/bin/sleep", args: ["60"], log });
      console.log(child.pid);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script]);
    const [[pid], [code]] = await Promise.all([
      once(createInterface({ input: parent.stdout }), "line"),
      once(parent, "exit"),
    ]);
    assert.equal(code, 0);
    while (existsSync(data)) await turn();
    assert.equal(isAlive(Number(pid)), false);
  });

  it("is waited for until it listens, or printed what was expected", async () => {
    const server = `require("node:net").createServer().listen(0, "127.0.0.1", function () {
      console.log("port", this.address().port) })`;
    const log = join(folder, "node.log");
    const child = await Child.start({ name: "node", command: process.execPath, args: ["-e", server], log });
    running.push(child);
    await untilSaid(child, /port \d+\n/, DEADLINE_MS);
    await untilListening(child, Number(child.said().split(" ")[1]), DEADLINE_MS);
  });

  it("is waited for no longer when it has ended, and its last words are told", async () => {
    const child = await start("echo the disk is full; exit 7");
    const waiting = untilListening(child, 1, DEADLINE_MS);
    await assert.rejects(
      waiting,
      /server ended with 7 before it listened on 127.0.0.1:1; .*\nthe disk is full$/,
    );
  });

  it("is waited for until a deadline", async () => {
    const child = await start("echo hm; exec sleep 60");
    await untilSaid(child, /hm/, DEADLINE_MS);
    const waiting = until(child, "it served", () => false, 10);
    await assert.rejects(waiting, /server: 0.01 s passed before it served; .*\nhm$/);
  });
});
