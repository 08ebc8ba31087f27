import { ProfileCalls } from "../../../thread/profile-calls.ts";
import { userBindings } from "../../assembly/assemble.ts";
import { everyPresence } from "../../assembly/assemble-presence.ts";
import { assembleThreadServer } from "../../assembly/assemble-thread.ts";
import { exposeServices } from "../../operators/service-metrics.ts";
import {
  AUTH_SETTINGS,
  DATABASE_SETTINGS,
  PICTURE_SETTINGS,
  profileRulesOf,
  SET_PROFILE_SETTINGS,
} from "../../settings/groups.ts";
import type { ProgramKind } from "../program.ts";
import { CLIENT_SETTINGS, LINK_SETTINGS } from "../settings.ts";
import { openSharedRows } from "../shared-rows.ts";
import { checkUsers } from "../user-tokens.ts";

const SETTINGS = {
  ...LINK_SETTINGS,
  ...CLIENT_SETTINGS,
  ...DATABASE_SETTINGS,
  ...AUTH_SETTINGS,
  ...PICTURE_SETTINGS,
  ...SET_PROFILE_SETTINGS,
};

/** Connections to the rows. */
const CONNECTIONS = 10;

/** A thread server: rows, sync, groups, blocks, devices, profiles. */
export const threadProgram: ProgramKind<typeof SETTINGS> = {
  service: "thread",
  settings: SETTINGS,
  async start(values, program) {
    const { clock, log, metrics, neighbours } = program;
    const shared = await openSharedRows(program, values, CONNECTIONS);
    const { rows, history } = shared;
    const presence = everyPresence(neighbours.presenceWay());
    const publisher = neighbours.publisher();
    const { service, serve, leave } = assembleThreadServer({
      ...{ clock, log, rows, history, publisher, presence },
      messageServers: neighbours.mirror("message"),
      link: (member) => neighbours.link(member, "message"),
      register: () => program.register(),
    });
    exposeServices(metrics, { repairs: publisher.repairs, everyPresence: presence });
    const profiles = new ProfileCalls(rows, profileRulesOf(values));
    return {
      serve,
      leave,
      bindings: userBindings({ thread: service, profiles }, checkUsers(values, clock)),
      degraded: shared.trouble,
      over: shared.over,
    };
  },
};
