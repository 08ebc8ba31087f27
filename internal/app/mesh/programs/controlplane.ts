import { ControlPlane } from "../../../controlplane/service.ts";
import { exposeServices } from "../../operators/service-metrics.ts";
import { address, setting } from "../../settings/kinds.ts";
import type { ProgramKind } from "../program.ts";

const SETTINGS = {
  HEDDLE_XDS_ADDR: setting(
    address("127.0.0.1:0"),
    "where Envoys come for endpoints (ADS); port 0 lets the system choose",
  ),
};

/** What clients reach through Envoy. */
const SERVICES = ["gateway", "push", "message", "thread", "presence"] as const;

/** The control plane: Envoy's endpoints, from the registry. It registers nothing, and an Envoy that loses it keeps what it has. */
export const controlplaneProgram: ProgramKind<typeof SETTINGS> = {
  service: "controlplane",
  settings: SETTINGS,
  start(_values, { log, metrics, neighbours }) {
    const places = Object.fromEntries(SERVICES.map((service) => [service, neighbours.mirror(service)]));
    const controlPlane = new ControlPlane({ places, log });
    exposeServices(metrics, { controlPlane });
    return { discovery: controlPlane.binding, leave: async () => {} };
  },
};
