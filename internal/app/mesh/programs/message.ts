import { rowViews, userBindings } from "../../assembly/assemble.ts";
import { assembleMessageServer } from "../../assembly/assemble-message.ts";
import { everyPresence } from "../../assembly/assemble-presence.ts";
import { exposeServices } from "../../operators/service-metrics.ts";
import { damageWatch } from "../../operators/store-watches.ts";
import { AUTH_SETTINGS, DATABASE_SETTINGS, SIGHT_SETTINGS, sightRuleOf } from "../../settings/groups.ts";
import { MESSAGE_STORE_SETTINGS, openMessageStore } from "../message-store.ts";
import type { ProgramKind } from "../program.ts";
import { CLIENT_SETTINGS, LINK_SETTINGS } from "../settings.ts";
import { openSharedRows } from "../shared-rows.ts";
import { checkUsers } from "../user-tokens.ts";

const SETTINGS = {
  ...LINK_SETTINGS,
  ...CLIENT_SETTINGS,
  ...DATABASE_SETTINGS,
  ...MESSAGE_STORE_SETTINGS,
  ...AUTH_SETTINGS,
  ...SIGHT_SETTINGS,
};

/** Connections of each of its two pools. */
const CONNECTIONS = 8;

/** A message server: the logs, over the store that all share. */
export const messageProgram: ProgramKind<typeof SETTINGS> = {
  service: "message",
  settings: SETTINGS,
  async start(values, program) {
    const { name, clock, log, metrics, neighbours } = program;
    const shared = await openSharedRows(program, values, CONNECTIONS);
    const { logs, trouble } = await openMessageStore(program, values, shared);
    const { rows, history } = shared;
    const presence = everyPresence(neighbours.presenceWay());
    const publisher = neighbours.publisher();
    const { service, serve, leave } = assembleMessageServer({
      ...{ name, clock, log, logs, history, publisher, presence },
      views: rowViews(rows, clock),
      servers: neighbours.mirror("message"),
      damage: damageWatch(log, metrics),
      sightRule: sightRuleOf(values),
      register: () => program.register({}, () => shared.details),
    });
    exposeServices(metrics, { message: service, repairs: publisher.repairs, everyPresence: presence });
    return {
      serve,
      leave,
      bindings: userBindings({ message: service }, checkUsers(values, clock)),
      degraded: () => shared.trouble() ?? trouble(),
      over: shared.over,
    };
  },
};
