import { type Clock, sleep } from "../../base/clock.ts";
import { ChannelService } from "../../channel/service.ts";
import { serveChannel } from "../../peers/channel-server.ts";
import type { Registration, RegistrationInit } from "../../registry/registration.ts";
import type { Tick } from "../../stream/each-tick.ts";
import type { Held } from "./held.ts";

/** After its registration is gone push servers have so long to attach elsewhere before their links are closed, in ms. */
export const MOVE_MS = 1_500;

export interface ChannelInit {
  readonly clock: Clock;
  /** The event loop; injected by tests. */
  readonly tick?: Tick;
  /** Takes its place in the registry, told of what happens to it. Called once. */
  readonly register: (hooks: Pick<RegistrationInit, "lost">) => Registration;
}

/**
 * A channel instance with its place in the registry (docs/design.md, section 7). When the lease is lost all links close,
 * and push servers attach to the next incarnation. When the program leaves:
 *
 * 1. Nothing is exact any more: from here on publishers are told `unsure`, and repair at the next owner.
 * 2. It is `leaving`, and its registration is revoked: publishers and push servers have another ring.
 * 3. Push servers move, while what was broadcast here still comes to them.
 * 4. What is queued is flushed, and links close.
 *
 * The first before the second: an instance that answers `exact` while others own its topics loses events in silence.
 */
export function assembleChannel({ clock, tick, register }: ChannelInit): Held<ChannelService> {
  const registration = register({ lost: () => service.leaseLost() });
  const service = new ChannelService({ clock, lease: registration, ...(tick && { tick }) });
  return {
    service,
    serve: (below) => serveChannel(service, below),
    leave: async () => {
      service.leave();
      await registration.leaving();
      await registration.revoke();
      await sleep(clock, MOVE_MS);
      service.close();
    },
  };
}
