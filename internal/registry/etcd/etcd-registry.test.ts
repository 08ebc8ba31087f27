import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Etcd3 } from "etcd3";
import { systemClock as clock } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { etcdEngine, type RunningEtcd } from "../../engines/etcd/etcd-engine.ts";
import { registrySuite, type SuiteRegistry } from "../registry.suite.ts";
import { type Offer, RegistryAway } from "../registry.ts";
import { EtcdEndpoints } from "./etcd-endpoints.ts";
import { EtcdRegistry } from "./etcd-registry.ts";
import { openRegistry } from "./open-registry.ts";

const log = createLog({ level: "silent" });

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
        clock,
        log,
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

  /** A registry that loses the answer to its first write, which takes effect, and `more` answers to what follows. */
  function losing(more: number): EtcdRegistry {
    const real = new Etcd3({ hosts: etcd.url });
    let left: number | undefined;
    const kv = {
      async txn(...asked: Parameters<typeof real.kv.txn>) {
        const answer = await real.kv.txn(...asked);
        if (asked[0].compare !== undefined) left ??= 1 + more;
        if (left === undefined || left-- <= 0) return answer;
        throw new Error("the answer is lost");
      },
    };
    const { leaseClient } = real;
    const etcd3 = { kv, leaseClient, close: () => real.close() } as unknown as Etcd3;
    const registry = new EtcdRegistry(new EtcdEndpoints([{ address: "", etcd: etcd3 }], clock, log), clock);
    opened.push(registry);
    return registry;
  }

  const offerOf = (service: string): Offer => {
    return { service, name: "a", address: "", build: "", state: "serving" };
  };

  it("a registration whose answer was lost is found again, and no second number taken", async () => {
    const grant = await losing(0).register(offerOf("lost"), 0);
    assert.ok(grant !== "taken" && grant.incarnation === 1);
  });

  it("a registration that was not answered in time is found by the next call, which keeps it alive", async () => {
    const registry = losing(20);
    await assert.rejects(registry.register(offerOf("unanswered"), 0), RegistryAway);
    const grant = await registry.register(offerOf("unanswered"), 0);
    assert.ok(grant !== "taken" && grant.incarnation === 1);
    assert.equal(await current.client().register(offerOf("unanswered"), 0), "taken");
  });

  it("what others write below the keys is no instance, and ends nothing", async () => {
    const [registry, seen] = [current.client(), [] as string[]];
    const { revision } = await registry.list("littered");
    const { promise: isTold, resolve } = Promise.withResolvers<void>();
    const stop = registry.watch("littered", revision, {
      changed: (change) => {
        seen.push(change.kind === "put" ? change.entry.name : change.kind);
        resolve();
      },
      ended: () => seen.push("ended"),
    });
    for (const value of ["", "{", "null", '{"service":"littered","name":"other"}']) {
      await admin.put("/heddle/littered/x").value(value);
    }
    await admin.put("/heddle/littered").value("no counter");
    await admin.delete().key("/heddle/littered/x");
    await registry.register(offerOf("littered"), 0);
    await isTold;
    stop();
    const { entries, counter } = await registry.list("littered");
    assert.deepEqual([seen, entries.map(({ name }) => name), counter], [["a"], ["a"], 1]);
  });

  registrySuite("EtcdRegistry", () => current);
});
