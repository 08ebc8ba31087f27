import { clientBindings } from "../../../app/assembly/assemble.ts";
import {
  assemblePresenceInstance,
  everyPresence,
  type PresenceWay,
} from "../../../app/assembly/assemble-presence.ts";
import { attachPresence } from "../../../peers/presence-client.ts";
import type { Presence as PushPresence } from "../../../push/ports.ts";
import { servingRing } from "../../../registry/mirror.ts";
import type { Presence } from "../../../thread/ports.ts";
import { SIGHT_RULE } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** A process with a presence instance. */
export function startPresence(process: MeshProcess): void {
  const { authenticate, name, world } = process;
  const pushServers = process.mirror("push");
  const { service, serve, leave } = assemblePresenceInstance({
    ...wayOf(process),
    name,
    rows: process.rows(),
    sightRule: SIGHT_RULE,
    pushServers: world.mutant.pushServers?.(pushServers) ?? pushServers,
    register: (hooks) => process.register(hooks),
  });
  process.answer(clientBindings({ presence: service }, { users: authenticate, tickets: authenticate }));
  process.presence = service;
  process.serves = serve;
  process.leaves = leave;
}

/** Presence, as message and thread servers tell it. */
export function presencePort(process: MeshProcess): Presence {
  return everyPresence(wayOf(process));
}

/** Presence, as push servers attach to it. */
export function presenceRing(process: MeshProcess): PushPresence {
  return {
    ring: servingRing(process.mirror("presence")),
    attach: (member, link) => attachPresence(process.links, process.dial(member), link),
  };
}

function wayOf(process: MeshProcess): PresenceWay {
  return {
    clock: process.clock,
    instances: process.mirror("presence"),
    link: (member) => process.keptLink(member, "presence"),
  };
}
