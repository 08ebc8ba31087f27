import { storeUnavailable } from "../../base/heddle-error.ts";
import { GatewayService } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { bind, type ServiceBinding } from "../../rpc/calls/handlers.ts";
import { callerNamed } from "../fakes/streams/rpc-listeners.ts";

/** A gateway that gives no tickets, and notes who asks. */
export class GatewayStandIn {
  /** The address that each OpenSession came from. */
  readonly sources: string[] = [];

  /** Answers OpenSession with an empty ticket, and with UNAVAILABLE where the device is called "unlucky". */
  get binding(): ServiceBinding {
    return bind(GatewayService, async () => callerNamed("ann"), {
      openSession: async ({ deviceId }, { source = "" }) => {
        this.sources.push(source);
        if (deviceId === "unlucky") throw storeUnavailable("registry");
        return {};
      },
      renewTicket: async () => ({}),
    });
  }
}
