import type { JWK } from "jose";
import type { Clock } from "../../base/clock.ts";
import type { SignDevToken } from "../../gateway/door-dev-tokens.ts";
import type { Authenticate } from "../../rpc/calls/handlers.ts";
import { loadSigningKey, type SigningKey } from "../../rpc/credentials/signing-key.ts";
import { authenticateTickets, TicketSigner } from "../../rpc/credentials/tickets.ts";
import {
  authenticateUsers,
  DEV_ISSUER,
  localKeys,
  remoteKeys,
  signUserToken,
} from "../../rpc/credentials/user-tokens.ts";
import { VerifiedTokens } from "../../rpc/credentials/verified-tokens.ts";
import { DataFolderError } from "../../store/data-folder-error.ts";
import type { HeddleConfig } from "../settings/config.ts";
import type { DataFolder } from "./data-folder.ts";

/** Who may call what, and the keys behind it. */
export interface Credentials {
  /** Who calls by a user token: an identity provider's, or in development our own. */
  readonly users: Authenticate;
  /** Who opens a stream by a ticket. A ticket is for one push server, and only that one takes it. */
  readonly tickets: Authenticate;
  /** Signs tickets, for the gateway. */
  readonly ticketSigner: TicketSigner;
  /** Signs anyone in; undefined but in the development profile. */
  readonly signDevToken: SignDevToken | undefined;
  /** For `/.well-known/jwks.json`. */
  readonly publicKeys: readonly JWK[];
}

const TICKET_EFFECT = "the next start makes another key; open tickets are void, and clients ask for new ones";
const DEV_USER_EFFECT =
  "the next start makes another key; user tokens of the development profile are void, and people sign in again";

/**
 * Loads or makes the keys of a data folder. `pushServer`: the name that tickets of this program must hold. Rejects with
 * DataFolderError. A provider's keys are fetched when the first token comes, so a provider that is away does not stop a
 * start.
 */
export async function openCredentials(
  config: HeddleConfig,
  folder: DataFolder,
  pushServer: string,
  clock: Clock,
): Promise<Credentials> {
  const { provider, ...auth } = config.auth;
  const { audiences } = auth;
  const ticketKey = await openKey(folder.ticketKey, TICKET_EFFECT);
  const devKey = provider ? undefined : await openKey(folder.devUserKey, DEV_USER_EFFECT);
  const issuer = provider
    ? { ...auth, issuer: provider.issuer, keys: remoteKeys(provider.jwksUrl) }
    : { issuer: DEV_ISSUER, audiences, keys: localKeys(devKey ? [devKey.publicJwk] : []) };
  // The signer notes what it signs: a ticket that comes back to the same process costs no check of its signature.
  const verified = new VerifiedTokens(clock);
  return {
    users: authenticateUsers(issuer, clock),
    tickets: authenticateTickets(localKeys([ticketKey.publicJwk]), pushServer, clock, verified),
    ticketSigner: new TicketSigner(() => ticketKey, clock, { name: pushServer, verified }),
    signDevToken: devKey && devTokenSigner(devKey, audiences[0], clock),
    publicKeys: [ticketKey.publicJwk, ...(devKey ? [devKey.publicJwk] : [])],
  };
}

/** Signs user tokens of the development profile with the key of a data folder, whether Heddle runs on it or not. */
export async function openDevTokenSigner(
  config: HeddleConfig,
  folder: DataFolder,
  clock: Clock,
): Promise<SignDevToken> {
  return devTokenSigner(await openKey(folder.devUserKey, DEV_USER_EFFECT), config.auth.audiences[0], clock);
}

/** Signs anyone in by a key of the development profile: for web ports and for `heddle token`, whose tokens programs take. */
export function devTokenSigner(key: SigningKey, audience: string, clock: Clock): SignDevToken {
  return (userId, ttlS) =>
    signUserToken(key, { userId, issuer: DEV_ISSUER, audience, nowMs: clock.nowMs(), ttlS });
}

/**
 * A key file; made if it is not there. `effect`: what its removal means. A file that is there and no key is not replaced:
 * the tokens that it signed would end without a word.
 */
async function openKey(path: string, effect: string): Promise<SigningKey> {
  try {
    return await loadSigningKey(path);
  } catch (error) {
    const isSystemError = (error as NodeJS.ErrnoException).code !== undefined;
    throw isSystemError
      ? DataFolderError.unusable(path, error)
      : DataFolderError.damagedSmall(path, error, effect);
  }
}
