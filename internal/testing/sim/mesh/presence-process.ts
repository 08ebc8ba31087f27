import { assemblePresence, clientBindings, rowViews } from "../../../app/assemble.ts";
import type { Member } from "../../../base/ring.ts";
import { attachPresence, PresenceClient } from "../../../peers/presence-client.ts";
import { servePresence } from "../../../peers/presence-server.ts";
import { EveryInstance } from "../../../presence/every-instance.ts";
import type { PresenceService } from "../../../presence/service.ts";
import type { Presence as PushPresence } from "../../../push/ports.ts";
import { servingRing } from "../../../registry/mirror.ts";
import type { Presence } from "../../../thread/ports.ts";
import { SIGHT_RULE } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** After it is `leaving` push servers have so long to hear of it, in ms. */
const MOVE_MS = 1_000;

/** A process with a presence instance. */
export function startPresence(process: MeshProcess): void {
  const { clock, authenticate, name } = process;
  const registered = process.mirror("presence");
  const pushServers = process.mirror("push");
  let presence: PresenceService | undefined;
  const registration = process.register({ lost: () => presence?.leaseLost() });
  const place = {
    name,
    lease: registration,
    ring: servingRing(registered),
    registered,
    pushServers: process.world.mutant.pushServers?.(pushServers) ?? pushServers,
    instance: (member: Member) => instanceAt(process, member),
  };
  const views = rowViews(process.rows(), clock, registration);
  const service = assemblePresence({ place, views, clock, sightRule: SIGHT_RULE });
  presence = service;
  process.answer(clientBindings({ presence: service }, { users: authenticate, tickets: authenticate }));
  process.serves = (below) => servePresence(service, below);
  process.leaves = async () => {
    await registration.leaving();
    await process.wait(MOVE_MS);
    service.close();
    await registration.revoke();
  };
}

/** Presence, as message and thread servers tell it. */
export function presencePort(process: MeshProcess): Presence {
  return new EveryInstance({
    clock: process.clock,
    registered: process.mirror("presence"),
    instance: (member) => instanceAt(process, member),
  });
}

/** Presence, as push servers attach to it. */
export function presenceRing(process: MeshProcess): PushPresence {
  return {
    ring: servingRing(process.mirror("presence")),
    attach: (member, link) => attachPresence(process.links, process.dial(member), link),
  };
}

function instanceAt(process: MeshProcess, member: Member): PresenceClient {
  return new PresenceClient(process.keptLink(member, "presence"));
}
