import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "../../../internal/engines/child.ts";
import { standInEngines, standInProgram } from "../../../internal/testing/mesh/stand-ins.ts";
import { askSupervisor } from "./control-client.ts";
import { endLeftOvers } from "./left-overs.ts";
import { takeLock } from "./lock.ts";
import type { Answer, Asked } from "./messages.ts";
import { identityOf, isSame, type ProcessIdentity } from "./process-identity.ts";
import { readState } from "./state-file.ts";
import { type SuperviseOptions, supervise } from "./supervise.ts";

describe("The supervisor of a mesh", function () {
  this.timeout(60_000);
  let folder: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-mesh-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await rm(folder, { recursive: true });
  });

  const lines: string[] = [];
  const run = (changes: Partial<SuperviseOptions> = {}) =>
    supervise({
      ...{ folder, store: "postgres", edgePort: 0, engines: standInEngines, command: standInProgram },
      counts: { gateway: 1, push: 1, message: 0, channel: 0, presence: 0, thread: 0, controlplane: 0 },
      onLog: (line) => lines.push(line),
      ...changes,
    });

  /** All answers to a command, asked until somebody listens. */
  async function ask(asked: Asked["do"], isLast: (answer: Answer) => boolean = () => false) {
    const answers: Answer[] = [];
    for (;;) {
      const found = await askSupervisor(join(folder, "control.sock"), asked);
      if (!found) continue;
      for await (const answer of found) {
        answers.push(answer);
        if (isLast(answer)) break;
      }
      return answers;
    }
  }
  const untilReady = () => ask("follow", (answer) => "ready" in answer || "failed" in answer);

  async function sleeper(): Promise<ProcessIdentity> {
    const child = spawn("sleep", ["1000"], { stdio: "ignore" });
    children.push(child);
    await once(child, "spawn");
    return identityOf(child.pid as number) as ProcessIdentity;
  }

  it("tells of the start, says what runs, and ends all when it is told to", async () => {
    const code = run();
    const told = await untilReady();
    assert.ok(told.some((answer) => "step" in answer && answer.step.step === "programs"));
    const [status] = await ask("status");
    assert.ok(status && "status" in status);
    const { processes, ready } = status.status;
    assert.deepEqual(
      processes.map(({ name, isRunning }) => [name, isRunning]),
      [
        ["etcd-1", true],
        ["postgres", true],
        ["envoy", true],
        ["gateway-1", true],
        ["push-1", true],
      ],
    );
    assert.match(await readFile(String(ready?.env), "utf8"), /export HEDDLE_GRPC_URL=https:\/\/127/);
    const last = (await ask("stop")).at(-1);
    assert.deepEqual(last, { stopped: ["etcd-1", "postgres", "envoy", "gateway-1", "push-1"] });
    assert.equal(await code, 0);
    assert.ok(!processes.some(({ pid }) => isAlive(pid)));
    const left = (await readdir(folder)).filter((name) => /lock|sock/.test(name));
    assert.deepEqual(left, [], "nothing is in the way of the next start");
  });

  it("has the same ports when it is started again, and the store of the folder without being told", async () => {
    const first = run();
    await untilReady();
    const before = await readState(join(folder, "state.json"));
    await ask("stop");
    await first;
    const second = run({ store: undefined });
    await untilReady();
    assert.deepEqual((await readState(join(folder, "state.json")))?.ports, before?.ports);
    await ask("stop");
    assert.equal(await second, 0);
    const third = run({ store: "hbase" });
    const failed = (await untilReady()).at(-1);
    assert.ok(failed && "failed" in failed);
    assert.match(failed.failed, /is a mesh with STORE=postgres/);
    assert.equal(await third, 1);
  });

  it("says why a start failed", async () => {
    const code = run({ env: () => ({ STAND_IN: "fails" }) });
    const failed = (await untilReady()).at(-1);
    assert.ok(failed && "failed" in failed);
    assert.match(failed.failed, /ended with 3 before it was ready/);
    assert.equal(await code, 1);
  });

  it("gives a start up when it is told to stop", async () => {
    const { promise: never } = Promise.withResolvers<never>();
    const code = run({ engines: { ...standInEngines, envoy: () => never } });
    const seen = await ask("follow", (answer) => "step" in answer && answer.step.step === "Envoy");
    assert.ok(seen.length > 0);
    assert.deepEqual((await ask("stop")).at(-1), { stopped: [] });
    assert.equal(await code, 1);
  });

  it("is one: a second one leaves the first alone", async () => {
    const code = run();
    await untilReady();
    assert.equal(await run(), 75);
    assert.match(lines.at(-1) ?? "", /another supervisor has .* process \d+/);
    await ask("stop");
    assert.equal(await code, 0);
  });

  it("ends what an earlier one left, and no other process that has its number now", async () => {
    const [left, stranger] = [await sleeper(), await sleeper()];
    const ended = await endLeftOvers({ "push-1": left, "push-2": { ...stranger, began: "another boot 1" } });
    assert.deepEqual(ended, ["push-1"]);
    assert.equal(isSame(left), false);
    assert.equal(isSame(stranger), true);
  });

  it("kills one that was paused", async () => {
    const paused = await sleeper();
    process.kill(paused.pid, "SIGSTOP");
    assert.deepEqual(await endLeftOvers({ x: paused }), ["x"]);
  });

  it("takes a lock that a crash left behind, one of two at once", async () => {
    const path = join(folder, "lock");
    await writeFile(path, JSON.stringify({ pid: process.pid, began: "another boot 1" }));
    const both = await Promise.all([takeLock(path), takeLock(path)]);
    assert.equal(both.filter((lock) => "heldBy" in lock).length, 1);
    for (const lock of both) if ("release" in lock) await lock.release();
    await writeFile(path, "");
    const after = await takeLock(path);
    assert.ok("release" in after);
    assert.deepEqual(await readdir(folder), ["lock"]);
  });

  it("starts anew where the state cannot be read, and lets nobody else command it", async () => {
    await writeFile(join(folder, "state.json"), "{");
    const code = run();
    await untilReady();
    assert.equal((await stat(join(folder, "control.sock"))).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, "state.json"))).mode & 0o777, 0o600);
    await ask("stop");
    assert.equal(await code, 0);
  });
});
