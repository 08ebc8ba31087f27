import { assemblePresence, clientBindings, rowViews } from "../../../app/assemble.ts";
import { attachPresence, PresenceClient } from "../../../peers/presence-client.ts";
import { servePresence } from "../../../peers/presence-server.ts";
import type { PresenceInstance, PresenceRing } from "../../../push/ports.ts";
import { MemoryRing } from "../../../registry/memory-ring.ts";
import type { Presence } from "../../../thread/ports.ts";
import { SIGHT_RULE } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** The one instance, until the ring of several is bound. */
const SOLE = { address: "presence-0" };

/** A process with a presence instance. */
export function startPresence(process: MeshProcess): void {
  const { clock, authenticate } = process;
  const views = rowViews(process.rows());
  const pushServers = process.mirror("push");
  const registry = { pushServers: () => pushServers.view().members };
  const presence = assemblePresence({ registry, views, clock, sightRule: SIGHT_RULE });
  process.answer(clientBindings({ presence }, { users: authenticate, tickets: authenticate }));
  process.serves = (below) => servePresence(presence, below);
  const registration = process.register();
  process.leaves = async () => {
    await registration.leaving();
    presence.close();
    await registration.revoke();
  };
}

/** Presence, as message and thread servers tell it. */
export function presencePort(process: MeshProcess): Presence {
  return new PresenceClient(process.keptLink(SOLE, "presence"));
}

/** Presence, as push servers attach to it. */
export function presenceRing(process: MeshProcess): PresenceRing {
  const ring = new MemoryRing<PresenceInstance>();
  ring.replace({ attach: (link) => attachPresence(process.links, process.dial(SOLE), link) });
  return ring;
}
