import { userBindings } from "../../assembly/assemble.ts";
import { assemblePresenceInstance } from "../../assembly/assemble-presence.ts";
import { exposeServices } from "../../operators/service-metrics.ts";
import { AUTH_SETTINGS, DATABASE_SETTINGS, SIGHT_SETTINGS, sightRuleOf } from "../../settings/groups.ts";
import type { ProgramKind } from "../program.ts";
import { CLIENT_SETTINGS, LINK_SETTINGS } from "../settings.ts";
import { openSharedRows } from "../shared-rows.ts";
import { checkUsers } from "../user-tokens.ts";

const SETTINGS = {
  ...LINK_SETTINGS,
  ...CLIENT_SETTINGS,
  ...DATABASE_SETTINGS,
  ...AUTH_SETTINGS,
  ...SIGHT_SETTINGS,
};

/** Connections to the rows. */
const CONNECTIONS = 4;

/** A presence instance: who is there, as push servers report it. */
export const presenceProgram: ProgramKind<typeof SETTINGS> = {
  service: "presence",
  settings: SETTINGS,
  async start(values, program) {
    const { name, clock, metrics, neighbours } = program;
    const shared = await openSharedRows(program, values, CONNECTIONS);
    const { service, serve, leave } = assemblePresenceInstance({
      ...neighbours.presenceWay(),
      name,
      rows: shared.rows,
      sightRule: sightRuleOf(values),
      pushServers: neighbours.mirror("push"),
      register: (hooks) => program.register(hooks),
    });
    exposeServices(metrics, { presence: service });
    return {
      serve,
      leave,
      bindings: userBindings({ presence: service }, checkUsers(values, clock)),
      degraded: shared.trouble,
      over: shared.over,
    };
  },
};
