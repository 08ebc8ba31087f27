import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock as clock } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { keepCertificates } from "../../engines/certificates/kept-certificates.ts";
import { etcdEngine, type RunningEtcd } from "../../engines/etcd/etcd-engine.ts";
import { RegistryAway } from "../registry.ts";
import type { EtcdRegistry } from "./etcd-registry.ts";
import { type OpenRegistryInit, openRegistry } from "./open-registry.ts";

describe("etcd behind mutual TLS", () => {
  let folder: string;
  let etcd: RunningEtcd;
  const opened: EtcdRegistry[] = [];

  before(async function () {
    this.timeout(900_000); // etcd is built when it is first needed.
    folder = await mkdtemp(join(tmpdir(), "heddle-etcd-"));
    for (const mesh of ["mesh", "other", "next"]) await keepCertificates(join(folder, mesh), clock.nowMs());
    etcd = await etcdEngine.start({ folder: join(folder, "etcd"), tls: files("mesh", "etcd") });
  });

  afterEach(() => {
    for (const registry of opened.splice(0)) registry.close();
  });

  after(async () => {
    await etcd.stop();
    await rm(folder, { recursive: true });
  });

  const files = (mesh: string, service: string) => ({
    cert: join(folder, mesh, "keys", service, "certificate.pem"),
    key: join(folder, mesh, "keys", service, "key.pem"),
    ca: join(folder, mesh, "ca.pem"),
  });

  const open = (url: string, tls?: OpenRegistryInit["tls"]) => {
    const registry = openRegistry({ url, clock, log: createLog({ level: "silent" }), ...(tls && { tls }) });
    opened.push(registry);
    return registry;
  };

  it("answers programs of the mesh, and nobody without their certificate", async () => {
    const offer = { service: "channel", name: "a", address: "", build: "", state: "serving" } as const;
    assert.notEqual(await open(etcd.url, files("mesh", "push")).register(offer, 0), "taken");
    assert.ok(await etcd.leader());
    await assert.rejects(open(etcd.url).list("channel"), RegistryAway);
    await assert.rejects(open(etcd.url, files("other", "push")).list("channel"), RegistryAway);
  });

  it("is not taken for etcd when it shows the certificate of another service", async () => {
    const posing = await etcdEngine.start({ folder: join(folder, "posing"), tls: files("mesh", "push") });
    try {
      const error = await open(posing.url, files("mesh", "push"))
        .list("channel")
        .catch((error) => error);
      assert.ok(error instanceof RegistryAway);
      assert.match(String(error.cause), /of push, not of etcd/);
    } finally {
      await posing.stop();
    }
  });

  it("goes on for those who are there when all certificates are replaced", async () => {
    const registry = open(etcd.url, files("mesh", "push"));
    await registry.list("channel");
    await etcd.stop();
    await cp(join(folder, "next"), join(folder, "mesh"), { recursive: true, force: true });
    etcd = await etcdEngine.start({ folder: join(folder, "etcd"), tls: files("mesh", "etcd") });
    assert.equal((await registry.list("channel")).counter, 1);
  });

  it("says at once which file is missing", () => {
    const tls = { ...files("mesh", "push"), key: join(folder, "missing.pem") };
    assert.throws(() => open(etcd.url, tls), /missing\.pem/);
  });
});
