import { assembleChannel } from "../../assembly/assemble-channel.ts";
import { exposeServices } from "../../operators/service-metrics.ts";
import type { ProgramKind } from "../program.ts";
import { LINK_SETTINGS } from "../settings.ts";

const SETTINGS = { ...LINK_SETTINGS };

/** A channel instance: it keeps nothing, and asks nobody. */
export const channelProgram: ProgramKind<typeof SETTINGS> = {
  service: "channel",
  settings: SETTINGS,
  start(_values, program) {
    const { clock, metrics } = program;
    const { service, serve, leave } = assembleChannel({
      clock,
      register: (hooks) => program.register(hooks),
    });
    exposeServices(metrics, { channel: service });
    return { serve, leave };
  },
};
