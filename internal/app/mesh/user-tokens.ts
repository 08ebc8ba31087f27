import type { Clock } from "../../base/clock.ts";
import type { SettingValues } from "../../base/env.ts";
import type { Authenticate } from "../../rpc/calls/handlers.ts";
import { authenticateUsers, remoteKeys } from "../../rpc/credentials/user-tokens.ts";
import { type AUTH_SETTINGS, authOf } from "../settings/groups.ts";

/** Who calls, by the tokens of an identity provider, or of the gateway where the profile is development. */
export function checkUsers(values: SettingValues<typeof AUTH_SETTINGS>, clock: Clock): Authenticate {
  const { provider, ...auth } = authOf(values);
  if (!provider) throw new Error("no provider after all: the settings were checked");
  return authenticateUsers({ ...auth, issuer: provider.issuer, keys: remoteKeys(provider.jwksUrl) }, clock);
}
