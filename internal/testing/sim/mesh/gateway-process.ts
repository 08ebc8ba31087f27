import { clientBindings } from "../../../app/assembly/assemble.ts";
import { GatewayService } from "../../../gateway/service.ts";
import { PushClients } from "../../../peers/push-client.ts";
import { MirroredPushServers } from "../../../registry/mirrored-push-servers.ts";
import { ticketOf } from "../users/sim-credentials.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** A process with the gateway. */
export function startGateway(process: MeshProcess): void {
  const { clock, authenticate, registry } = process;
  const mirror = process.mirror("push");
  const gateway = new GatewayService({
    devices: process.rows(),
    streams: new PushClients(mirror, (member) => process.keptLink(member, "push")),
    registry: new MirroredPushServers({ registry, clock, mirror }),
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
