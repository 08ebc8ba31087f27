import { userBindings } from "../../../app/assembly/assemble.ts";
import { assembleGateway } from "../../../app/assembly/assemble-gateway.ts";
import { ticketOf } from "../users/sim-credentials.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** A process with the gateway. */
export function startGateway(process: MeshProcess): void {
  const { clock, authenticate, registry, neighbours } = process;
  const { service, leave } = assembleGateway({
    clock,
    registry,
    pushServers: neighbours.mirror("push"),
    link: (member) => neighbours.link(member, "push"),
    devices: process.rows(),
    tickets: { sign: async (grant) => ticketOf(grant, clock.nowMs()) },
    random: () => process.random.fraction(),
    register: () => process.register(),
  });
  process.answer(userBindings({ gateway: service }, authenticate));
  process.leaves = leave;
}
