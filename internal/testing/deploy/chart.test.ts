import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composePlans } from "../../../cmd/mesh/plan/compose-plan.ts";
import { PROGRAMS } from "../../../cmd/mesh/plan/counts.ts";
import { listenerNames } from "../../../cmd/mesh/plan/program-plan.ts";
import { renderEdge } from "../../../envoy/render-edge.ts";
import { ROOT } from "../trials/programs/heddle-process.ts";
import { helm, installDeployTools, KUBERNETES } from "./deploy-tools.ts";
import { CHART, EXAMPLES, RenderedChart } from "./rendered-chart.ts";

/** Runs a program with exactly this environment. Resolves to its exit code and what it said. */
function checkConfig(service: string, env: Record<string, string>): Promise<{ code: unknown; said: string }> {
  const args = ["--disable-warning=ExperimentalWarning", `cmd/${service}/main.ts`, "--check-config"];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, said: stdout + stderr }),
    );
  });
}

describe("The chart", function () {
  this.timeout(600_000); // The first run on a machine builds helm.
  let folder: string;
  let charts: readonly RenderedChart[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-chart-"));
    await installDeployTools();
    charts = await RenderedChart.renderAll(folder);
    await mkdir(join(folder, "postgres"));
    await writeFile(join(folder, "postgres/url"), "postgres://heddle:x@db.example:5432/heddle");
  });
  after(() => rm(folder, { recursive: true }));

  it("is linted, with each of its examples", async () => {
    const values = EXAMPLES.map((example) => join(CHART, "examples", `${example}.yaml`));
    for (const path of values)
      await helm("lint", "--strict", "--quiet", "--kube-version", KUBERNETES, CHART, "--values", path);
  });

  it("gives each program settings that it takes, and would be told of one that it does not", async () => {
    for (const chart of charts) {
      const checked = PROGRAMS.map(async (service) => {
        const { code, said } = await checkConfig(service, chart.environment(service, folder));
        assert.equal(code, 0, `${chart.example}, ${service}: ${said}`);
      });
      await Promise.all(checked);
    }
    const [chart = assert.fail()] = charts;
    const wrong = { ...chart.environment("channel", folder), HEDDLE_DATABASE_URL: "postgres://x@y/z" };
    const { code, said } = await checkConfig("channel", wrong);
    assert.deepEqual([code, /HEDDLE_DATABASE_URL: there is no such setting/.test(said)], [2, true], said);
  });

  it("runs the programs that `make mesh` runs, with the same listeners", () => {
    const one = Object.fromEntries(PROGRAMS.map((service) => [service, 1]));
    const listeners = listenerNames({ ...one, etcd: 1 } as Parameters<typeof listenerNames>[0]);
    for (const chart of charts) {
      const ports = PROGRAMS.flatMap((service) =>
        chart.pods(service).containers[0].ports.map(({ name }) => `${service}-1/${name}`),
      );
      assert.deepEqual(ports.toSorted(), listeners.toSorted());
      const components = chart
        .of("Deployment")
        .map(({ metadata }) => metadata.labels["app.kubernetes.io/component"]);
      assert.deepEqual(components.toSorted(), [...PROGRAMS, "edge"].toSorted());
    }
  });

  it("tells each program what `make mesh` tells it, but for what a cluster and production need", () => {
    const clusters = ["PROFILE", "ADVERTISE_HOST", "DRAIN_MS", "AUTH_AUDIENCE", "AUTH_USER_CLAIM"];
    const gateways = ["AUTH_ISSUER", "AUTH_JWKS_URL", "OPENS_PER_ADDRESS"];
    const development = ["HEDDLE_DEV_KEY_FILE", "NODE_EXTRA_CA_CERTS"];
    const [chart = assert.fail()] = charts;
    for (const { service, env } of composePlans) {
      const more = [...clusters, ...(service === "gateway" ? gateways : [])].map((name) => `HEDDLE_${name}`);
      const names = Object.keys(chart.environment(service, folder)).filter((name) => !more.includes(name));
      const expected = Object.keys(env).filter((name) => !development.includes(name));
      assert.deepEqual(names.toSorted(), expected.toSorted(), service);
    }
  });

  it("kills no pod for an engine that is away, and none before its drain is over", () => {
    for (const chart of charts) {
      for (const service of PROGRAMS) {
        const { terminationGracePeriodSeconds, containers } = chart.pods(service);
        const [{ startupProbe, readinessProbe, livenessProbe, env }] = containers;
        const paths = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet?.path);
        assert.deepEqual(paths, ["/readyz", "/readyz", "/healthz"]);
        const drainMs = Number(env.find(({ name }) => name === "HEDDLE_DRAIN_MS")?.value);
        assert.ok(drainMs >= 20_000 && terminationGracePeriodSeconds >= drainMs / 1_000 + 15);
      }
    }
  });

  it("lets nobody be root, write to the image, or hold a secret in its text", async () => {
    for (const chart of charts) {
      for (const component of [...PROGRAMS, "edge"]) {
        const { securityContext, automountServiceAccountToken, topologySpreadConstraints, containers } =
          chart.pods(component);
        const [container] = containers;
        assert.deepEqual(
          [securityContext.runAsNonRoot, automountServiceAccountToken],
          [true, false],
          component,
        );
        assert.ok(securityContext.runAsUser > 0 && topologySpreadConstraints.length === 2);
        const { readOnlyRootFilesystem, allowPrivilegeEscalation } = container.securityContext;
        assert.deepEqual([readOnlyRootFilesystem, allowPrivilegeEscalation], [true, false], component);
      }
      assert.equal(chart.of("Secret").length, 0);
      assert.equal(chart.of("PodDisruptionBudget").length, PROGRAMS.length + 1);
    }
  });

  it("has the edge that envoy/ renders", async () => {
    for (const chart of charts) {
      const [config = assert.fail()] = chart.of("ConfigMap");
      const files = renderEdge("/etc/heddle/edge", {
        nodeId: "chat",
        listen: { host: "0.0.0.0", port: 8443 },
        admin: { host: "127.0.0.1", port: 9901 },
        controlplane: { host: "chat-controlplane", port: 7404 },
        edge: { certificate: "/etc/heddle/certificate/tls.crt", key: "/etc/heddle/certificate/tls.key" },
        envoy: { certificate: "/etc/heddle/tls/tls.crt", key: "/etc/heddle/tls/tls.key" },
        ca: "/etc/heddle/tls/ca.crt",
        maxConnections: 20_000,
        origins: chart.example === "hbase" ? ["https://.*\\.chat\\.example"] : [],
      });
      assert.deepEqual(Object.keys(config.data ?? {}).length, files.size);
      for (const [path, text] of files) {
        const own = config.data?.[path.replace("/etc/heddle/edge/", "")] ?? "";
        if (path.endsWith(".json")) assert.deepEqual(JSON.parse(own), JSON.parse(text));
        else assert.equal(own, text);
      }
    }
  });

  it("says in a sentence what is missing or wrong", async () => {
    const refused = (pattern: RegExp, ...more: string[]) =>
      assert.rejects(RenderedChart.render("small", ...more), pattern);
    await refused(/publicUrl/, "--set", "publicUrl=");
    await refused(/replicas/, "--set", "services.push.replicas=many");
    await refused(/pushh/, "--set", "services.pushh.replicas=2");
    await refused(/store/, "--set", "messages.store=mongo");
    await refused(/name ZooKeeper's members/, "--set", "messages.store=hbase");
    await refused(/urls/, "--set-json", 'etcd.urls=["http://etcd.example:2379"]');
  });

  it("comments every value", async () => {
    const lines = (await readFile(join(CHART, "values.yaml"), "utf8")).split("\n");
    // What only holds others is explained by them.
    const bare = lines.filter((line, at) => {
      const [, indent = "", name = "", value = ""] = /^( *)([\w/.]+):(.*)$/.exec(line) ?? [];
      const isExplained = ["requests", "limits"].includes(name) || lines[at - 1]?.startsWith(`${indent}#`);
      return value.trim() !== "" && !isExplained;
    });
    assert.deepEqual(bare, []);
  });
});
