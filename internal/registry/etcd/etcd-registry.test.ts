import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Etcd3 } from "etcd3";
import { systemClock } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { etcdEngine, type RunningEtcd } from "../../engines/etcd/etcd-engine.ts";
import { registrySuite, type SuiteRegistry } from "../registry.suite.ts";
import type { EtcdRegistry } from "./etcd-registry.ts";
import { openRegistry } from "./open-registry.ts";

describe("On etcd", () => {
  let folder: string;
  let etcd: RunningEtcd;
  let admin: Etcd3;
  const opened: EtcdRegistry[] = [];

  before(async function () {
    this.timeout(900_000); // etcd is built when it is first needed.
    folder = await mkdtemp(join(tmpdir(), "heddle-etcd-"));
    etcd = await etcdEngine.start({ folder });
    admin = new Etcd3({ hosts: etcd.url });
  });

  after(async () => {
    for (const registry of opened) registry.close();
    admin.close();
    await etcd.stop();
    await rm(folder, { recursive: true });
  });

  const current: SuiteRegistry = {
    client() {
      const registry = openRegistry({
        url: etcd.url,
        clock: systemClock,
        log: createLog({ level: "silent" }),
      });
      opened.push(registry);
      return registry;
    },
    async loseLease(service, name) {
      const { kvs } = await admin.get(`/heddle/${service}/${name}`).exec();
      for (const { lease } of kvs) await admin.leaseClient.leaseRevoke({ ID: lease });
    },
    async setAway(isAway) {
      if (!isAway) return etcd.restart("etcd-1");
      const process = etcd.processes.get("etcd-1");
      process?.kill("SIGKILL");
      await process?.ended;
    },
  };

  registrySuite("EtcdRegistry", () => current);
});
