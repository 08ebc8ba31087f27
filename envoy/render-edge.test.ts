import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envoy } from "../internal/engines/envoy/envoy.ts";
import { type EdgeValues, LOOPBACK_ORIGINS, renderEdge, writeEdge } from "./render-edge.ts";

const VALUES: EdgeValues = {
  nodeId: "edge-1",
  listen: { host: "0.0.0.0", port: 8443 },
  admin: { host: "127.0.0.1", port: 9901 },
  controlplane: { host: "controlplane", port: 8500 },
  edge: { certificate: "/keys/edge/certificate.pem", key: "/keys/edge/key.pem" },
  envoy: { certificate: "/keys/envoy/certificate.pem", key: "/keys/envoy/key.pem" },
  ca: "/keys/ca.pem",
  origins: [LOOPBACK_ORIGINS],
};

describe("The edge's configuration", function () {
  this.timeout(300_000); // The first run on a machine downloads Envoy.
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-edge-"));
    await envoy.install(() => {});
  });

  after(() => rm(folder, { recursive: true }));

  it("is valid", async () => {
    await envoy.validate(writeEdge(folder, VALUES));
  });

  it("is refused by Envoy where it is not", async () => {
    const config = writeEdge(folder, VALUES);
    const text = await readFile(config, "utf8");
    await writeFile(config, text.replace("stream_idle_timeout", "stream_idle_time_out"));
    await assert.rejects(envoy.validate(config), /stream_idle_time_out/);
  });

  it("has two clusters for each service, and every value as it is given", () => {
    const files = renderEdge("/run/edge", { ...VALUES, nodeId: 'a "b": c' });
    const text = files.get("/run/edge/edge.yaml") ?? "";
    const clusters = [...text.matchAll(/^ {4}- name: ([a-z-]+)$/gm)].map(([, name]) => name);
    const pairs = ["push", "gateway", "message", "thread", "presence"].flatMap((name) => [
      name,
      `${name}-web`,
    ]);
    assert.deepEqual(clusters, ["edge", ...pairs, "controlplane"]);
    assert.ok(text.includes(String.raw`id: "a \"b\": c"`));
    assert.deepEqual(text.match(/\$\{\w+\}/g), [`\${NAME}`], "of its first comment");
  });

  it("names certificates in files of their own, which are watched", () => {
    const files = renderEdge("/run/edge", VALUES);
    assert.deepEqual(
      [...files.keys()],
      ["edge.yaml", "edge.json", "envoy.json", "ca.json"].map((name) => `/run/edge/${name}`),
    );
    const { resources } = JSON.parse(files.get("/run/edge/envoy.json") ?? "");
    assert.deepEqual(resources[0].tls_certificate.watched_directory, { path: "/keys/envoy" });
  });

  it("retries nothing", () => {
    const text = renderEdge("/run/edge", VALUES).get("/run/edge/edge.yaml") ?? "";
    const [, routes = ""] = text.split("route_config:");
    assert.doesNotMatch(routes, /retry/);
  });
});
