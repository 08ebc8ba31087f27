import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import {
  COMPOSE_PORTS,
  composePlans,
  DATABASE_URL,
  ENGINE_PORTS,
} from "../../../cmd/mesh/plan/compose-plan.ts";
import { PROGRAMS } from "../../../cmd/mesh/plan/counts.ts";
import { envoy } from "../../engines/envoy/envoy.ts";
import { ETCD_VERSION } from "../../engines/etcd/etcd-binary.ts";
import { ROOT } from "../trials/programs/heddle-process.ts";
import { readYaml } from "./deploy-tools.ts";

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly network_mode?: string;
}

const dockerfile = readFileSync(join(ROOT, "docker/Dockerfile"), "utf8");

/** Own files that a file imports, and those that they import. */
function importedBy(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path) || !existsSync(path)) return seen;
  seen.add(path);
  const text = readFileSync(path, "utf8");
  for (const [, specifier = ""] of text.matchAll(/(?:from |import\(|import )"(\.[^"]+)"/g))
    importedBy(join(dirname(path), specifier), seen);
  return seen;
}

describe("docker/, which is not run here,", function () {
  this.timeout(300_000);
  let services: Readonly<Record<string, Service>>;

  before(async () => {
    const [[compose] = []] = await readYaml([join(ROOT, "docker/compose.yaml")], "any");
    ({ services } = compose as { services: typeof services });
  });

  it("has the programs of `make mesh STORE=postgres`, with its settings", () => {
    const names = composePlans.map(({ name }) => name);
    assert.deepEqual(
      Object.keys(services).toSorted(),
      [...names, "edge", "etcd", "keys", "postgres"].toSorted(),
    );
    for (const { name, service, env } of composePlans) {
      assert.deepEqual(services[name]?.environment, env, name);
      assert.deepEqual(services[name]?.command, [`cmd/${service}/main.ts`]);
      assert.equal(
        services[name]?.network_mode,
        "service:edge",
        `${name}: the development profile serves 127.0.0.1 alone`,
      );
    }
  });

  it("has ports that are each given once, and shows this machine the edge alone", () => {
    const ports = Object.values(COMPOSE_PORTS);
    assert.equal(new Set(ports).size, ports.length);
    const shown = Object.entries(services).flatMap(([name, { ports: own = [] }]) =>
      own.map((port) => `${name} ${port}`),
    );
    assert.deepEqual(shown, [`edge 127.0.0.1:${ENGINE_PORTS.edge}:${ENGINE_PORTS.edge}`]);
  });

  it("has the engines of `make mesh`, in the versions that are tried", async () => {
    assert.equal(services.etcd?.image, `quay.io/coreos/etcd:v${ETCD_VERSION}`);
    assert.equal(services.edge?.image, `envoyproxy/envoy:distroless-v${envoy.title.replace("Envoy ", "")}`);
    const binaries = readFileSync(join(ROOT, "internal/engines/postgres/binaries.ts"), "utf8");
    const [, postgres] = /PACKAGED_VERSION = "(\d+\.\d+)/.exec(binaries) ?? [];
    assert.equal(services.postgres?.image, `postgres:${postgres}`);
    const { dependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    const { node } = dependencies;
    for (const [, image = ""] of dockerfile.matchAll(/^FROM (\S+)/gm))
      assert.ok(image.startsWith(`node:${node}-`), image);
    const {
      POSTGRES_USER: user,
      POSTGRES_PASSWORD: password,
      POSTGRES_DB: database,
    } = services.postgres?.environment ?? {};
    assert.equal(
      DATABASE_URL,
      `postgres://${user}:${password}@127.0.0.1:${ENGINE_PORTS.postgres}/${database}`,
    );
  });

  it("starts etcd as `make mesh` does", () => {
    const settings = readFileSync(join(ROOT, "internal/engines/etcd/etcd-engine.ts"), "utf8");
    for (const argument of services.etcd?.command?.slice(1) ?? []) {
      const [, name = "", value = ""] = /^--([a-z-]+)=(.*)$/.exec(argument) ?? [];
      const short = name.replace(/^peer-(cert-file|key-file|trusted-ca-file|client-cert-auth)$/, "$1");
      assert.ok(settings.includes(short), `${name}: no setting of etcd-engine.ts`);
      if (/^\d+m?$|^TLS/.test(value))
        assert.ok(settings.includes(`"${value}"`), `${argument}: another value there`);
    }
  });

  it("copies into the image every file that a program imports or reads", () => {
    const copied = [...dockerfile.matchAll(/^COPY --from=build \/app\/(\S+)/gm)].map(
      ([, path]) => path ?? "",
    );
    const ignored = readFileSync(join(ROOT, "docker/Dockerfile.dockerignore"), "utf8").split("\n");
    const named = [...PROGRAMS, "heddle"].map((name) => `${name}/main.ts`);
    const mains = [...named, "mesh/compose.ts"].map((path) => join(ROOT, "cmd", path));
    const files = new Set(mains.flatMap((main) => [...importedBy(main)]).map((path) => relative(ROOT, path)));
    assert.ok(files.size > 300, `${files.size} files`);
    const left = [...files, "envoy/edge.yaml", "package.json"].filter(
      (path) =>
        !copied.some((one) => path === one || path.startsWith(`${one}/`)) ||
        ignored.some((one) => one !== "" && path.startsWith(`${one}/`)),
    );
    assert.deepEqual(left, []);
    for (const path of copied) assert.ok(path === "node_modules" || existsSync(join(ROOT, path)), path);
  });

  it("makes its keys and the edge's configuration, which Envoy takes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-compose-"));
    execFileSync(process.execPath, [join(ROOT, "cmd/mesh/compose.ts"), folder]);
    assert.deepEqual(readdirSync(folder).toSorted(), ["ca.pem", "envoy", "keys"]);
    const told = composePlans
      .flatMap(({ env }) => Object.values(env))
      .filter((value) => value.startsWith("/mesh/"));
    for (const path of told) assert.ok(existsSync(path.replace("/mesh", folder)), path);
    await envoy.validate(join(folder, "envoy/edge.yaml"));
    await rm(folder, { recursive: true });
  });
});
