import type { Fault } from "./fault.ts";
import type { Ground } from "./ground.ts";
import { broken } from "./program-faults.ts";

/** etcd is away for longer than any lease, in ms. */
const ETCD_AWAY_MS = 60_000;

/** Postgres is away for so long, in ms. */
const POSTGRES_AWAY_MS = 30_000;

/** How much people write while nothing is taken, a second. */
const FEW_PER_SECOND = 10;

/** Faults of the engines that both meshes have. */
export const engineFaults: readonly Fault[] = [
  {
    title: "Envoy is killed",
    befall: (ground) => ground.kill("envoy", 1_000),
    bites: async ({ crowd }) => ({ "devices whose stream broke": broken(crowd.history).size }),
  },
  killedLeader(),
];

/** Engines that are away for long. */
export const longFaults: readonly Fault[] = [
  etcdAway(),
  {
    title: "Postgres is away for 30 s",
    befall: async (ground) => {
      const { crowd } = ground;
      // What people write meanwhile waits in their outboxes, and what they write afterwards would wait behind it.
      crowd.hush();
      crowd.chat(FEW_PER_SECOND);
      crowd.stores(false);
      await ground.kill("postgres", POSTGRES_AWAY_MS);
      crowd.stores(true);
    },
    bites: async ({ crowd }) => ({ "devices that had no stream": broken(crowd.history).size }),
  },
];

/** Others lead where there are others, and nobody loses a lease. */
function killedLeader(): Fault {
  let leader = "";
  let before = 0;
  return {
    title: "the leader of etcd is killed",
    befall: async (ground) => {
      const { mesh } = ground;
      leader = (await mesh.engines.etcd.leader()) ?? "";
      before = mesh.process(leader).pid;
      await ground.kill(leader, 5_000);
    },
    bites: async ({ mesh }) => ({ "leaders anew": Number(mesh.process(leader).pid !== before) }),
  };
}

function etcdAway(): Fault {
  const calls = (ground: Ground) =>
    ground.metric("push", "heddle_registry_call_seconds_count", 'answer="away"');
  let before = 0;
  return {
    title: "all of etcd is away for a minute",
    befall: async (ground) => {
      before = await calls(ground);
      const names = [...ground.mesh.engines.etcd.processes.keys()];
      await Promise.all(names.map((name) => ground.kill(name, ETCD_AWAY_MS)));
    },
    bites: async (ground) => ({ "calls without an answer": (await calls(ground)) - before }),
  };
}
