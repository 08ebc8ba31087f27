import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JWK,
  type JWTVerifyGetKey,
  SignJWT,
} from "jose";
import type { Clock } from "../../base/clock.ts";
import { USER_ID_PATTERN } from "../../base/ids.ts";
import type { Authenticate, Caller } from "../calls/handlers.ts";
import { bearerToken, tokenInvalid } from "./bearer.ts";
import { optionalText, textClaim, timeClaim } from "./claims.ts";
import { checkJwt, type JwtRules, type KeySet } from "./jwt-check.ts";
import type { SigningKey } from "./signing-key.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

/** Who signs user tokens: an identity provider, or in the development profile Heddle itself. */
export interface UserTokenIssuer {
  readonly issuer: string;
  /** A token must name one of them. */
  readonly audiences: readonly string[];
  /** The claim that is the user_id; `sub` by default. */
  readonly userClaim?: string;
  /** The claims that say how the user is called and looks; `name` and `picture` by default. */
  readonly nameClaim?: string;
  readonly pictureClaim?: string;
  /** How far the provider's clock may be from ours, in seconds: so much later a token ends. 0 by default. */
  readonly toleranceS?: number;
  readonly keys: KeySet;
}

/** Characters of a claim that says how a user is called or looks; a longer one says nothing. */
const MAX_PROFILE_CLAIM = 2_048;

/** The keys of an identity provider: fetched when needed, kept 10 min, again at most every 30 s for a new `kid`. */
export function remoteKeys(url: URL, cooldownMs = 30_000): KeySet {
  return createRemoteJWKSet(url, {
    timeoutDuration: 5_000,
    cooldownDuration: cooldownMs,
    cacheMaxAge: 600_000,
    [customFetch]: fetchBounded,
  });
}

/** The largest set of keys that is read, in bytes: a hundred keys with their certificates. */
const MAX_JWKS_BYTES = 1024 * 1024;

async function fetchBounded(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_JWKS_BYTES) throw new RangeError(`a set of keys may have ${MAX_JWKS_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: response.status });
}

/** Keys of our own. */
export function localKeys(keys: readonly JWK[]): JWTVerifyGetKey {
  return createLocalJWKSet({ keys: [...keys] });
}

/** Checks `authorization: Bearer <user token>` (docs/design.md, section 12): iss, aud, exp, kid, and the user_id. */
export function authenticateUsers(issuer: UserTokenIssuer, clock: Clock): Authenticate {
  const verified = new VerifiedTokens(clock);
  const { userClaim = "sub", nameClaim = "name", pictureClaim = "picture" } = issuer;
  const { toleranceS = 0, audiences } = issuer;
  const requiredClaims = [userClaim, "exp"];
  const rules: JwtRules = { issuer: issuer.issuer, audiences, requiredClaims, toleranceS };
  const verify = async (token: string): Promise<Caller> => {
    const claims = await checkJwt(token, issuer.keys, rules, clock);
    // Said by the same clock as nbf, and held to the same rule. jose looks at it for the age of a token alone.
    if (Number(claims.iat ?? 0) > Math.floor(clock.nowMs() / 1000) + toleranceS) throw tokenInvalid("iat");
    const expiresAtMs = timeClaim(claims, "exp") + toleranceS * 1000;
    const userId = textClaim(claims, userClaim, USER_ID_PATTERN);
    const name = optionalText(claims, nameClaim, MAX_PROFILE_CLAIM);
    const picture = optionalText(claims, pictureClaim, MAX_PROFILE_CLAIM);
    return {
      ...{ userId, expiresAtMs, userTokenExpiresAtMs: expiresAtMs },
      ...(name === undefined ? {} : { name }),
      ...(picture === undefined ? {} : { picture }),
    };
  };
  return async (authorization) => await verified.caller(bearerToken(authorization), verify);
}

/** The issuer of the development profile, which signs anyone in by name. */
export const DEV_ISSUER = "heddle-dev";

/** Signs a user token for any name. Development profile only. */
export async function signUserToken(
  key: SigningKey,
  token: {
    readonly userId: string;
    readonly issuer: string;
    readonly audience: string;
    readonly nowMs: number;
    readonly ttlS: number;
  },
): Promise<string> {
  const nowS = Math.floor(token.nowMs / 1000);
  return await new SignJWT({})
    .setProtectedHeader({ alg: "ES256", kid: key.kid, typ: "JWT" })
    .setIssuer(token.issuer)
    .setAudience(token.audience)
    .setSubject(token.userId)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + token.ttlS)
    .sign(key.privateKey);
}
