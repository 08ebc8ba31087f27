import { clientBindings } from "../../../app/assemble.ts";
import { GatewayService } from "../../../gateway/service.ts";
import { PushClients } from "../../../peers/push-client.ts";
import { ticketOf } from "../users/sim-credentials.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** How often loads are asked for, in ms. */
const LOADS_EVERY_MS = 2_000;

const CAPACITY = 1_000;

/** A process with the gateway. */
export function startGateway(process: MeshProcess): void {
  const { clock, authenticate, registry } = process;
  const mirror = process.mirror("push");
  let loads: ReadonlyMap<string, number> = new Map();
  let loadAtMs = 0;
  const askLoads = () => {
    registry.loads("push").then(
      (told) => {
        loads = told;
        loadAtMs = clock.monotonicMs();
      },
      () => {},
    );
    clock.after(LOADS_EVERY_MS, askLoads);
  };
  askLoads();
  const gateway = new GatewayService({
    devices: process.rows(),
    streams: new PushClients(mirror, (member) => process.keptLink(member, "push")),
    registry: {
      pushServers: () => {
        const { state, members } = mirror.view();
        if (state === "not_loaded") return undefined;
        return members.map(({ name, address, state: own }) => ({
          name,
          grpcUrl: address,
          webUrl: address,
          load: loads.get(name) ?? 0,
          loadAtMs,
          capacity: CAPACITY,
          isLeaving: own === "leaving",
        }));
      },
    },
    tickets: { sign: async (grant) => ticketOf(grant, clock.nowMs()) },
    random: () => process.random.fraction(),
  });
  process.answer(clientBindings({ gateway }, { users: authenticate, tickets: authenticate }));
  const registration = process.register();
  process.leaves = async () => {
    await registration.leaving();
    await registration.revoke();
  };
}
