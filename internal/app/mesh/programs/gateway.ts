import { z } from "zod";
import { AddressLimit } from "../../../gateway/address-limit.ts";
import { devTokensRoute } from "../../../gateway/door-dev-tokens.ts";
import { jwksRoute, ticketKeysRoute } from "../../../gateway/door-jwks.ts";
import { TicketSigner } from "../../../rpc/credentials/tickets.ts";
import { profileOf } from "../../../thread/display.ts";
import { userBindings } from "../../assembly/assemble.ts";
import { assembleGateway } from "../../assembly/assemble-gateway.ts";
import { pageSettingsRoute } from "../../page/page-settings.ts";
import { BUILT_PAGE, staticFiles } from "../../page/static-files.ts";
import {
  AUTH_SETTINGS,
  authOf,
  DATABASE_SETTINGS,
  DEV_TOKEN_SETTINGS,
  OPEN_SETTINGS,
  PICTURE_SETTINGS,
} from "../../settings/groups.ts";
import { listIn, setting } from "../../settings/kinds.ts";
import { openDevSigner } from "../dev-signer.ts";
import type { ProgramKind } from "../program.ts";
import { CLIENT_SETTINGS } from "../settings.ts";
import { openSharedRows } from "../shared-rows.ts";
import { signingTicketKeys, TICKET_KEY_SETTINGS, watchTicketKeys } from "../ticket-keys.ts";
import { checkUsers } from "../user-tokens.ts";

const SETTINGS = {
  ...CLIENT_SETTINGS,
  ...DATABASE_SETTINGS,
  ...AUTH_SETTINGS,
  ...PICTURE_SETTINGS,
  ...OPEN_SETTINGS,
  ...TICKET_KEY_SETTINGS,
  HEDDLE_DEV_KEY_FILE: setting(
    z.string().optional(),
    "development: a private JWK, by which user tokens are signed; gateways share it",
  ),
  ...DEV_TOKEN_SETTINGS,
};

/** Connections to the rows. */
const CONNECTIONS = 4;

/** A gateway: sessions, tickets, the page; in the development profile it signs anyone in. */
export const gatewayProgram: ProgramKind<typeof SETTINGS> = {
  service: "gateway",
  settings: SETTINGS,
  signsItself: true,
  async start(values, program) {
    const { clock, neighbours, registry, stack } = program;
    const keys = watchTicketKeys(values.HEDDLE_TICKET_KEYS_FILE, program, signingTicketKeys);
    stack.add("ticket keys", () => keys.close());
    const auth = authOf(values);
    const dev = await openDevSigner(values.HEDDLE_DEV_KEY_FILE, auth, clock);
    const { rows, trouble, over } = await openSharedRows(program, values, CONNECTIONS);
    const { service, leave } = assembleGateway({
      ...{ clock, registry },
      pushServers: neighbours.mirror("push"),
      link: (member) => neighbours.link(member, "push"),
      devices: rows,
      tickets: new TicketSigner(() => keys.value.signing, clock),
      profiles: { note: (userId, said) => rows.noteProfile(userId, profileOf(said)) },
      addresses: new AddressLimit(clock, values.HEDDLE_OPENS_PER_ADDRESS),
      register: () => program.register(),
    });
    return {
      leave,
      bindings: userBindings({ gateway: service }, dev?.users ?? checkUsers(values, clock)),
      routes: [
        ticketKeysRoute(() => keys.value.publicJwks),
        ...(dev ? [jwksRoute([dev.publicJwk]), devTokensRoute(dev.sign, values.HEDDLE_DEV_TOKEN_TTL_S)] : []),
        pageSettingsRoute(auth),
        staticFiles(BUILT_PAGE, listIn(values.HEDDLE_PICTURE_HOSTS)),
      ],
      degraded: trouble,
      over,
    };
  },
};
