import { type JWTVerifyGetKey, SignJWT } from "jose";
import type { Clock } from "../../base/clock.ts";
import { DEVICE_ID_PATTERN, fromHex, hex, USER_ID_PATTERN } from "../../base/ids.ts";
import type { Authenticate, Caller } from "../calls/handlers.ts";
import { bearerToken, tokenExpired, tokenInvalid } from "./bearer.ts";
import { type Claims, textClaim, timeClaim } from "./claims.ts";
import { checkJwt, type JwtRules } from "./jwt-check.ts";
import type { SigningKey } from "./signing-key.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

/** How long a ticket is good for Submit, in milliseconds; never beyond the user token. */
const TICKET_MS = 10 * 60_000;

/** How long after its issue a ticket opens a stream, in milliseconds. */
const OPEN_WITHIN_MS = 60_000;

const RULES: JwtRules = {
  issuer: "heddle-gateway",
  audiences: ["heddle-push"],
  type: "heddle-ticket+jwt",
  requiredClaims: ["sub", "exp", "session_id", "device_id", "push", "open_by", "utx"],
};

/** What a ticket permits: one session of one user's device on one push server. */
export interface TicketGrant {
  readonly userId: string;
  readonly deviceId: string;
  /** 16 bytes. */
  readonly sessionId: Uint8Array;
  /** The push server's name in the registry. */
  readonly pushServer: string;
  readonly userTokenExpiresAtMs: number;
}

/** A push server in the same process, and the tickets that it knows to be good. */
export interface OwnPushServer {
  readonly name: string;
  readonly verified: VerifiedTokens;
}

/** Signs tickets. Times in the token are whole seconds, as in every JWT; never later than they should be. */
export class TicketSigner {
  readonly #key: () => SigningKey;
  readonly #clock: Clock;
  readonly #own: OwnPushServer | undefined;

  /** `key`: of now. `own` need not verify what is signed here: a fifth of the time that a connect takes. */
  constructor(key: () => SigningKey, clock: Clock, own?: OwnPushServer) {
    this.#key = key;
    this.#clock = clock;
    this.#own = own;
  }

  async sign(grant: TicketGrant): Promise<{ readonly ticket: string; readonly expiresAtMs: number }> {
    const nowMs = this.#clock.nowMs();
    const { kid, privateKey } = this.#key();
    const expiresS = Math.floor(Math.min(nowMs + TICKET_MS, grant.userTokenExpiresAtMs) / 1000);
    const claims = {
      session_id: hex(grant.sessionId),
      device_id: grant.deviceId,
      push: grant.pushServer,
      open_by: Math.floor((nowMs + OPEN_WITHIN_MS) / 1000),
      utx: Math.floor(grant.userTokenExpiresAtMs / 1000),
    };
    const ticket = await new SignJWT(claims)
      .setProtectedHeader({ alg: "ES256", kid, typ: RULES.type ?? "JWT" })
      .setIssuer(RULES.issuer)
      .setAudience([...RULES.audiences])
      .setSubject(grant.userId)
      .setIssuedAt(Math.floor(nowMs / 1000))
      .setExpirationTime(expiresS)
      .sign(privateKey);
    if (this.#own?.name === grant.pushServer) {
      const { userId, deviceId, sessionId } = grant;
      const times = { openByMs: claims.open_by * 1000, userTokenExpiresAtMs: claims.utx * 1000 };
      this.#own.verified.remember(ticket, {
        userId,
        deviceId,
        sessionId,
        expiresAtMs: expiresS * 1000,
        ...times,
      });
    }
    return { ticket, expiresAtMs: expiresS * 1000 };
  }
}

/**
 * Checks `authorization: Bearer <ticket>` on the push server named `pushServer`: a ticket for another one is
 * TOKEN_INVALID / push, and one whose `open_by` has passed opens no stream (TOKEN_EXPIRED). `verified` may be shared
 * with a signer.
 */
export function authenticateTickets(
  keys: JWTVerifyGetKey,
  pushServer: string,
  clock: Clock,
  verified = new VerifiedTokens(clock),
): Authenticate {
  const verify = async (token: string) => callerOf(await checkJwt(token, keys, RULES, clock), pushServer);
  return async (authorization, opensStream) => {
    const caller = await verified.caller(bearerToken(authorization), verify);
    if (opensStream && clock.nowMs() >= (caller.openByMs ?? 0)) throw tokenExpired();
    return caller;
  };
}

const SESSION_ID = /^[0-9a-f]{32}$/;

function callerOf(claims: Claims, pushServer: string): Caller {
  if (claims.push !== pushServer) throw tokenInvalid("push");
  return {
    userId: textClaim(claims, "sub", USER_ID_PATTERN),
    deviceId: textClaim(claims, "device_id", DEVICE_ID_PATTERN),
    sessionId: fromHex(textClaim(claims, "session_id", SESSION_ID)),
    openByMs: timeClaim(claims, "open_by"),
    expiresAtMs: timeClaim(claims, "exp"),
    userTokenExpiresAtMs: timeClaim(claims, "utx"),
  };
}
