import { MessageClient } from "../../../peers/message-client.ts";
import { pushServerDetails } from "../../../registry/mirrored-push-servers.ts";
import { authenticateTickets } from "../../../rpc/credentials/tickets.ts";
import { streamBindings } from "../../assembly/assemble.ts";
import { assemblePushServer } from "../../assembly/assemble-push.ts";
import { exposeServices } from "../../operators/service-metrics.ts";
import { CLIENT_URL_SETTINGS, STREAM_SETTINGS } from "../../settings/groups.ts";
import type { ProgramKind } from "../program.ts";
import { CLIENT_SETTINGS, LINK_SETTINGS } from "../settings.ts";
import { checkingTicketKeys, TICKET_KEY_SETTINGS, watchTicketKeys } from "../ticket-keys.ts";
import { toldHistory } from "../told-history.ts";

const SETTINGS = {
  ...LINK_SETTINGS,
  ...CLIENT_SETTINGS,
  ...CLIENT_URL_SETTINGS,
  ...STREAM_SETTINGS,
  ...TICKET_KEY_SETTINGS,
};

/** A push server: clients' streams. It keeps nothing, and knows of the data what other programs tell. */
export const pushProgram: ProgramKind<typeof SETTINGS> = {
  service: "push",
  settings: SETTINGS,
  async start(values, program) {
    const { name, clock, log, metrics, neighbours, stack } = program;
    const { HEDDLE_PUSH_CAPACITY: capacity, HEDDLE_STREAMS_PER_USER: streamsPerUser } = values;
    const keys = watchTicketKeys(values.HEDDLE_TICKET_KEYS_FILE, program, checkingTicketKeys);
    stack.add("ticket keys", () => keys.close());
    const { history, over } = await toldHistory(program, values.HEDDLE_REGISTRY_WAIT_S * 1_000);
    const { service, serve, leave } = assemblePushServer({
      ...{ clock, log, history },
      config: { name, capacity, streamsPerUser },
      channel: neighbours.channel(),
      presence: neighbours.presence(),
      messageServers: neighbours.mirror("message"),
      messageAt: (member) => new MessageClient(neighbours.link(member, "message")),
      threads: neighbours.anyLink("thread"),
      drainMs: values.HEDDLE_DRAIN_MS,
      register: () =>
        program.register({}, ({ grpc = "", web = "" }) =>
          pushServerDetails({
            grpcUrl: values.HEDDLE_GRPC_URL ?? `http://${grpc}`,
            webUrl: values.HEDDLE_WEB_URL ?? `http://${web}`,
            capacity,
          }),
        ),
    });
    exposeServices(metrics, { push: service });
    const tickets = authenticateTickets((header, token) => keys.value.checking(header, token), name, clock);
    return { serve, leave, bindings: streamBindings(service, tickets), over };
  },
};
