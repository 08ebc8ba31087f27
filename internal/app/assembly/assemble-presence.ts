import { type Clock, sleep } from "../../base/clock.ts";
import type { Member, Ring } from "../../base/ring.ts";
import { PresenceClient } from "../../peers/presence-client.ts";
import { servePresence } from "../../peers/presence-server.ts";
import { EveryInstance } from "../../presence/every-instance.ts";
import type { Place } from "../../presence/ports.ts";
import type { PresenceService } from "../../presence/service.ts";
import type { SightRule } from "../../presence/sight.ts";
import { type Mirror, servingRing } from "../../registry/mirror.ts";
import type { Registration, RegistrationInit } from "../../registry/registration.ts";
import type { LinkCaller } from "../../rpc/links/link-client.ts";
import type { SqlThreadStore } from "../../store/sql/sql-thread-store.ts";
import { assemblePresence, rowViews } from "./assemble.ts";
import { HEARD_MS, type Held } from "./held.ts";

/** The presence instances, as a program of the mesh reaches them. */
export interface PresenceWay {
  readonly clock: Clock;
  /** Of the presence instances. Closed by its owner. */
  readonly instances: Mirror;
  /** A link to a member: of `KeptLinks`, over all that are registered. */
  readonly link: (member: Member) => LinkCaller;
}

export interface PresenceInstanceInit extends PresenceWay {
  /** Its name in the registry. */
  readonly name: string;
  readonly rows: SqlThreadStore;
  readonly sightRule: SightRule;
  /** Of the push servers. Closed by its owner. */
  readonly pushServers: Ring;
  /** Takes its place in the registry, told of what happens to it. Called once. */
  readonly register: (hooks: Pick<RegistrationInit, "lost">) => Registration;
}

/**
 * A presence instance with its place in the registry (docs/design.md, section 8). When it leaves push servers move, and
 * while one may still listen to it it is told of every block.
 */
export function assemblePresenceInstance(init: PresenceInstanceInit): Held<PresenceService> {
  const { clock, name, rows, sightRule, instances, pushServers, link } = init;
  const registration = init.register({ lost: () => service.leaseLost() });
  const place: Place = {
    name,
    lease: registration,
    ring: servingRing(instances),
    registered: instances,
    pushServers,
    instance: (member) => new PresenceClient(link(member)),
  };
  const views = rowViews(rows, clock, registration);
  const service = assemblePresence({ place, views, clock, sightRule });
  return {
    service,
    serve: (below) => servePresence(service, below),
    leave: async () => {
      await registration.leaving();
      await sleep(clock, HEARD_MS);
      service.close();
      await registration.revoke();
    },
  };
}

/** What thread and message servers tell of who may see which user, also by `tellPresence`: every instance is told. */
export function everyPresence({ clock, instances, link }: PresenceWay): EveryInstance {
  return new EveryInstance({
    clock,
    registered: instances,
    instance: (member) => new PresenceClient(link(member)),
  });
}
