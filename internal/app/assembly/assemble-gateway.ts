import type { Clock } from "../../base/clock.ts";
import { sleep } from "../../base/clock.ts";
import type { Member } from "../../base/ring.ts";
import { type GatewayPorts, GatewayService } from "../../gateway/service.ts";
import { PushClients } from "../../peers/push-client.ts";
import type { Mirror } from "../../registry/mirror.ts";
import { MirroredPushServers } from "../../registry/mirrored-push-servers.ts";
import type { Registration } from "../../registry/registration.ts";
import type { Registry } from "../../registry/registry.ts";
import type { LinkCaller } from "../../rpc/links/link-client.ts";
import { HEARD_MS, type Held } from "./held.ts";

export interface GatewayParts extends Omit<GatewayPorts, "streams" | "registry"> {
  readonly clock: Clock;
  readonly registry: Registry;
  /** Of the push servers. Closed by its owner. */
  readonly pushServers: Mirror;
  /** A link to one of them: of `KeptLinks`, over all that are registered. */
  readonly link: (member: Member) => LinkCaller;
  /** Takes its place in the registry. Called once. */
  readonly register: () => Registration;
}

/** A gateway with its place in the registry. No other program asks it anything. */
export function assembleGateway(parts: GatewayParts): Omit<Held<GatewayService>, "serve"> {
  const { clock, registry, pushServers: mirror, link, register, ...ports } = parts;
  const pushServers = new MirroredPushServers({ registry, clock, mirror });
  const service = new GatewayService({
    ...ports,
    streams: new PushClients(mirror, link),
    registry: pushServers,
  });
  const registration = register();
  return {
    service,
    leave: async () => {
      await registration.leaving();
      await sleep(clock, HEARD_MS);
      await registration.revoke();
      pushServers.close();
    },
  };
}
