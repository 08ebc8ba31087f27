import { createPrivateKey, createPublicKey, hash } from "node:crypto";
import type { JWK } from "jose";
import type { SigningKey } from "./signing-key.ts";

/** The keys of tickets, as a file of several programs tells them. */
export interface TicketKeySet {
  /** The first key; undefined where the file has public halves alone. */
  readonly signing: SigningKey | undefined;
  /** Public halves of all, with `kid`, `alg` and `use`. */
  readonly publicJwks: readonly JWK[];
}

/** Reads a JWK set of P-256 keys, private or public. Throws what says why it is none, and shows nothing of a key. */
export function ticketKeySetOf(text: string): TicketKeySet {
  const { keys } = parsed(text);
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError("it is no JWK set with keys");
  const publicJwks = keys.map(publicHalf);
  const [first] = keys;
  const [publicJwk] = publicJwks;
  if (!publicJwk || first?.d === undefined) return { signing: undefined, publicJwks };
  const privateKey = keyOf(() => createPrivateKey({ key: first, format: "jwk" }));
  return { signing: { kid: String(publicJwk.kid), privateKey, publicJwk }, publicJwks };
}

function parsed(text: string): { readonly keys?: readonly JWK[] } {
  try {
    return (JSON.parse(text) as { readonly keys?: readonly JWK[] } | null) ?? {};
  } catch {
    throw new TypeError("it is no JSON"); // The parser's own words show some of the text.
  }
}

function publicHalf(jwk: JWK): JWK {
  const { kty, crv, x, y } = jwk ?? {};
  if (kty !== "EC" || crv !== "P-256" || !x || !y) throw new TypeError("a key of it is no P-256 key");
  keyOf(() => createPublicKey({ key: { kty, crv, x, y }, format: "jwk" }));
  return { kty, crv, x, y, kid: jwk.kid ?? thumbprint(crv, kty, x, y), alg: "ES256", use: "sig" };
}

function keyOf<T>(make: () => T): T {
  try {
    return make();
  } catch {
    throw new TypeError("a key of it is no P-256 key");
  }
}

/** RFC 7638. */
function thumbprint(crv: string, kty: string, x: string, y: string): string {
  return hash("sha256", JSON.stringify({ crv, kty, x, y }), "base64url");
}
