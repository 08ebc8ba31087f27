import { tokenInvalid } from "./bearer.ts";

/**
 * The claims of a token whose signature is good. What stands in them is unknown all the same: providers write what
 * they like, and a claim that is used before its type is checked fails far from here. Read them by the functions below.
 */
export type Claims = Readonly<Record<string, unknown>>;

/** The last second that a date can express: later ones count as this one. */
const LAST_SECOND = 8_640_000_000_000;

/** A claim that is a text of this pattern. Throws UNAUTHENTICATED / TOKEN_INVALID with the claim's name. */
export function textClaim(claims: Claims, claim: string, pattern: RegExp): string {
  const value = claims[claim];
  if (typeof value !== "string" || !pattern.test(value)) throw tokenInvalid(claim);
  return value;
}

/** A claim that is a text of at most so many characters; undefined where it is not there, or is something else. */
export function optionalText(claims: Claims, claim: string, most: number): string | undefined {
  const value = claims[claim];
  return typeof value === "string" && value.length <= most ? value : undefined;
}

/** A claim that is a time in whole seconds since 1970, as Unix milliseconds. Throws TOKEN_INVALID as above. */
export function timeClaim(claims: Claims, claim: string): number {
  const value = claims[claim];
  if (typeof value !== "number" || !(value >= 0)) throw tokenInvalid(claim);
  return Math.floor(Math.min(value, LAST_SECOND)) * 1000;
}
