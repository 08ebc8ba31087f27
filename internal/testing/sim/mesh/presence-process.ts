import { userBindings } from "../../../app/assembly/assemble.ts";
import { assemblePresenceInstance } from "../../../app/assembly/assemble-presence.ts";
import { SIGHT_RULE } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** A process with a presence instance. */
export function startPresence(process: MeshProcess): void {
  const { authenticate, name, neighbours, world } = process;
  const pushServers = neighbours.mirror("push");
  const { service, serve, leave } = assemblePresenceInstance({
    ...neighbours.presenceWay(),
    name,
    rows: process.rows(),
    sightRule: SIGHT_RULE,
    pushServers: world.mutant.pushServers?.(pushServers) ?? pushServers,
    register: (hooks) => process.register(hooks),
  });
  process.answer(userBindings({ presence: service }, authenticate));
  process.presence = service;
  process.serves = serve;
  process.leaves = leave;
}
