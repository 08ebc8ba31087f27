import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "../../../internal/engines/child.ts";
import type { RunningEngine } from "../../../internal/engines/engine.ts";
import { standInEngines, standInProgram } from "../../../internal/testing/mesh/stand-ins.ts";
import type { MeshEngines } from "./engines.ts";
import type { Mesh } from "./mesh.ts";
import { type MeshOptions, startMesh } from "./start-mesh.ts";
import type { StepLine } from "./steps.ts";

describe("A mesh", function () {
  this.timeout(60_000);
  let folder: string;
  let mesh: Mesh | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-mesh-"));
  });
  afterEach(async () => {
    await mesh?.stop();
    mesh = undefined;
    await rm(folder, { recursive: true });
  });

  const small = { gateway: 1, push: 2, message: 1, channel: 0, presence: 0, thread: 0, controlplane: 0 };
  const start = async (changes: Partial<MeshOptions> = {}) => {
    mesh = await startMesh({
      ...{ folder, store: "postgres", counts: small, edgePort: 0 },
      ...{ engines: standInEngines, command: standInProgram },
      ...changes,
    });
    return mesh;
  };
  const pids = (running: Mesh) => running.processes().map(({ pid }) => pid);

  it("starts engines before programs, tells of each step, and ends all in good order", async () => {
    const steps: StepLine[] = [];
    const running = await start({ onStep: (step) => steps.push(step) });
    const through = steps.filter(({ tookMs }) => tookMs !== undefined).map(({ step }) => step);
    assert.deepEqual(through.slice(0, 2).sort(), ["Postgres", "etcd"]);
    assert.deepEqual(through.slice(2).sort(), ["Envoy", "programs"]);
    const names = running.processes().map(({ name }) => name);
    assert.deepEqual(names, ["etcd-1", "postgres", "envoy", "gateway-1", "push-1", "push-2", "message-1"]);
    assert.ok(pids(running).every(isAlive));
    const ended: string[] = [];
    assert.deepEqual(await running.stop(({ step }) => ended.push(step)), names);
    assert.deepEqual([...new Set(ended)], ["programs", "Envoy", "Postgres, etcd"]);
    assert.ok(!pids(running).some(isAlive));
  });

  it("starts HBase before the programs, where messages are in it", async () => {
    const steps: StepLine[] = [];
    const running = await start({ store: "hbase", onStep: (step) => steps.push(step) });
    const order = steps.filter(({ tookMs }) => tookMs !== undefined).map(({ step }) => step);
    assert.ok(order.indexOf("HBase") < order.indexOf("programs"));
    assert.equal(running.envOf("message-1").HEDDLE_HBASE_QUORUM, "127.0.0.1:2");
  });

  it("gives a program its own addresses, certificate and name, and nobody else's settings", async () => {
    process.env.HEDDLE_PROFILE = "production";
    try {
      const running = await start();
      const env = running.envOf("push-2");
      assert.equal(env.HEDDLE_NAME, "push-2");
      assert.equal(env.HEDDLE_LINK_ADDR, `127.0.0.1:${running.ports["push-2/link"]}`);
      assert.match(await readFile(String(env.HEDDLE_TLS_CERT), "utf8"), /BEGIN CERTIFICATE/);
      const told = await readFile(`/proc/${running.process("push-2").pid}/environ`, "utf8").catch(() => "");
      assert.doesNotMatch(told, /HEDDLE_PROFILE/);
    } finally {
      delete process.env.HEDDLE_PROFILE;
    }
  });

  it("starts again what is killed, where it was, and says so", async () => {
    const { promise: serves, resolve } = Promise.withResolvers<void>();
    const lines: string[] = [];
    const running = await start({
      onLog: (line) => {
        lines.push(line);
        if (line.endsWith("serves again")) resolve();
      },
    });
    const before = running.process("push-1").pid;
    running.process("push-1").kill("SIGKILL");
    await serves;
    assert.deepEqual(lines, ["push-1 ended: SIGKILL", "push-1 serves again"]);
    assert.notEqual(running.process("push-1").pid, before);
    const { restarts, why, isAway } = running.restarted("push-1") ?? {};
    assert.deepEqual({ restarts, why, isAway }, { restarts: 1, why: "SIGKILL", isAway: false });
  });

  it("has the same ports again, but those that another took meanwhile", async () => {
    const first = await start();
    await first.stop();
    const taken = createServer().listen(first.ports["push-1/grpc"], "127.0.0.1");
    const second = await start({ keptPorts: first.ports });
    taken.close();
    assert.notEqual(second.ports["push-1/grpc"], first.ports["push-1/grpc"]);
    assert.deepEqual({ ...second.ports, "push-1/grpc": 0 }, { ...first.ports, "push-1/grpc": 0 });
  });

  it("refuses in a sentence where the edge's port is taken, and starts nothing", async () => {
    const first = await start();
    const server = createServer().listen(first.ports.edge, "127.0.0.1");
    const other = startMesh({
      ...{
        folder: join(folder, "other"),
        store: "postgres",
        counts: small,
        edgePort: first.ports.edge as number,
      },
      engines: standInEngines,
    });
    await assert.rejects(other, /^EngineError: port \d+ of 127\.0\.0\.1 \(edge\) is taken .* PORT=\d+$/);
    server.close();
  });

  it("says why a program did not start, in its own last words, and leaves nothing running", async () => {
    const started: RunningEngine[] = [];
    const noted: MeshEngines["etcd"] = async (ground, progress) => {
      const engine = await standInEngines.etcd(ground, progress);
      started.push(engine);
      return engine;
    };
    const failing = start({
      engines: { ...standInEngines, etcd: noted },
      env: ({ name }) => (name === "message-1" ? { STAND_IN: "fails" } : {}),
    });
    await assert.rejects(failing, /message-1 ended with 3 before it was ready(.|\n)*no such table/);
    const left = started.flatMap(({ processes }) => [...processes.values()]).map(({ pid }) => pid);
    assert.ok(left.length === 1 && !left.some(isAlive));
  });
});
