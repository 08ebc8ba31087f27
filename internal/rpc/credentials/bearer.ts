import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";

/** Longer tokens are refused unread. With it a request's headers stay below the 16 KiB that HTTP/1.1 listeners read. */
const MAX_TOKEN_BYTES = 8_192;

/**
 * The token of an `authorization: Bearer …` header. Throws UNAUTHENTICATED / TOKEN_MISSING if there is none, and
 * TOKEN_INVALID with claim `size` if it is too long, or `format` if it is no JWT by its looks.
 */
export function bearerToken(authorization: string | undefined): string {
  const match = /^Bearer +(\S+) *$/i.exec(authorization ?? "");
  const token = match?.[1];
  if (token === undefined) {
    const text = "send the metadata `authorization: Bearer <token>`";
    throw new HeddleError(Code.UNAUTHENTICATED, ErrorReason.TOKEN_MISSING, text);
  }
  if (token.length > MAX_TOKEN_BYTES) {
    throw tokenInvalid("size", undefined, ` (${token.length} bytes, at most ${MAX_TOKEN_BYTES})`);
  }
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw tokenInvalid("format");
  return token;
}

/** UNAUTHENTICATED / TOKEN_INVALID. Names the claim or the part (`alg`, `kid`, `signature`, `format`, `size`), no value. */
export function tokenInvalid(claim: string, cause?: unknown, more = ""): HeddleError {
  const text = `the token is not valid here: ${claim}${more}`;
  return new HeddleError(Code.UNAUTHENTICATED, ErrorReason.TOKEN_INVALID, text, {
    metadata: { claim },
    cause,
  });
}

/** UNAUTHENTICATED / TOKEN_EXPIRED. */
export function tokenExpired(): HeddleError {
  return new HeddleError(Code.UNAUTHENTICATED, ErrorReason.TOKEN_EXPIRED, "the token has expired");
}
