import type { JWK } from "jose";
import type { Clock } from "../../base/clock.ts";
import { SettingsError } from "../../base/env.ts";
import type { SignDevToken } from "../../gateway/door-dev-tokens.ts";
import type { Authenticate } from "../../rpc/calls/handlers.ts";
import { type SigningKey, storedSigningKey } from "../../rpc/credentials/signing-key.ts";
import { authenticateUsers, DEV_ISSUER, localKeys } from "../../rpc/credentials/user-tokens.ts";
import { devTokenSigner } from "../folder/credentials.ts";
import type { AuthConfig } from "../settings/groups.ts";

/** What signs anyone in by name, in the development profile. */
export interface DevSigner {
  readonly users: Authenticate;
  readonly sign: SignDevToken;
  readonly publicJwk: JWK;
}

/** By the key of a file; undefined without one. Rejects with SettingsError where that is no key. */
export async function openDevSigner(
  path: string | undefined,
  { audiences }: AuthConfig,
  clock: Clock,
): Promise<DevSigner | undefined> {
  if (path === undefined) return undefined;
  const key = await keyIn(path);
  return {
    users: authenticateUsers({ issuer: DEV_ISSUER, audiences, keys: localKeys([key.publicJwk]) }, clock),
    sign: devTokenSigner(key, audiences[0], clock),
    publicJwk: key.publicJwk,
  };
}

async function keyIn(path: string): Promise<SigningKey> {
  const key = await storedSigningKey(path).catch((error: NodeJS.ErrnoException) => {
    throw new SettingsError(`HEDDLE_DEV_KEY_FILE: ${path} holds no key (${error.code ?? "no private JWK"})`);
  });
  if (!key) throw new SettingsError(`HEDDLE_DEV_KEY_FILE: ${path} is not there`);
  return key;
}
