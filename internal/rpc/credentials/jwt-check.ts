import { decodeProtectedHeader, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Clock } from "../../base/clock.ts";
import { HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { tokenExpired, tokenInvalid } from "./bearer.ts";
import type { Claims } from "./claims.ts";

/** Asymmetric only: a public key must never do as an HMAC secret, and `none` is no signature. */
const ALGORITHMS = ["ES256", "ES384", "RS256", "RS384", "PS256", "EdDSA", "Ed25519"];

/** Keys by their ids; of a set that is fetched, whether it was lately, so that it is not fetched again now. */
export type KeySet = JWTVerifyGetKey & { readonly coolingDown?: boolean };

export interface JwtRules {
  readonly issuer: string;
  /** The token names one of them. */
  readonly audiences: readonly string[];
  /** The header's `typ`, where one is demanded. */
  readonly type?: string;
  readonly requiredClaims: readonly string[];
  /**
   * How far the issuer's clock may be from ours, in seconds: a token counts from `nbf` and from `iat`, and until `exp`,
   * each give or take that.
   */
  readonly toleranceS?: number;
}

/**
 * Verifies a JWT: signature by a key of the set that `kid` names, issuer, audience, expiry. Rejects with
 * UNAUTHENTICATED / TOKEN_EXPIRED or TOKEN_INVALID, and with UNAVAILABLE if the key set cannot be had.
 */
export async function checkJwt(token: string, keys: KeySet, rules: JwtRules, clock: Clock): Promise<Claims> {
  demandKeyId(token);
  try {
    const { payload } = await jwtVerify(token, findKey(keys), {
      algorithms: ALGORITHMS,
      issuer: rules.issuer,
      audience: [...rules.audiences],
      requiredClaims: [...rules.requiredClaims],
      clockTolerance: rules.toleranceS ?? 0,
      currentDate: new Date(clock.nowMs()),
      ...(rules.type === undefined ? {} : { typ: rules.type }),
    });
    return payload;
  } catch (error) {
    throw explain(error);
  }
}

/**
 * The set of keys is what somebody else serves. Whatever is wrong with it (no JSON, no set, a key that is none) is
 * their fault and not the token's: UNAVAILABLE, until they serve a good one.
 */
function findKey(keys: KeySet): JWTVerifyGetKey {
  return async (header, token) => {
    // Of a set that may not be fetched again yet nobody can say that it lacks a key: the provider may have a new one.
    const isOld = keys.coolingDown === true;
    try {
      return await keys(header, token);
    } catch (error) {
      if (isOld && error instanceof errors.JWKSNoMatchingKey) throw storeUnavailable("jwks", error);
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
        throw tokenInvalid("kid", error);
      }
      // What jose says of a header that asks for an algorithm for which no set can have a key.
      if (error instanceof errors.JOSENotSupported && !ALGORITHMS.includes(String(header?.alg))) {
        throw tokenInvalid("alg", error);
      }
      throw storeUnavailable("jwks", error);
    }
  };
}

/** jose would take a lone key of the set for a token that names none. */
function demandKeyId(token: string): void {
  let kid: unknown;
  try {
    ({ kid } = decodeProtectedHeader(token));
  } catch (error) {
    throw tokenInvalid("format", error);
  }
  if (typeof kid !== "string" || kid === "") throw tokenInvalid("kid");
}

function explain(error: unknown): unknown {
  if (error instanceof HeddleError) return error;
  if (error instanceof errors.JWTExpired) return tokenExpired();
  if (error instanceof errors.JWTClaimValidationFailed) return tokenInvalid(error.claim, error);
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return tokenInvalid("alg", error);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return tokenInvalid("signature", error);
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return tokenInvalid("format", error);
  }
  // A key was found by its id, and it cannot check this signature: too short, or for another purpose.
  return storeUnavailable("jwks", error);
}
