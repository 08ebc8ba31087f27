import type { JWK } from "jose";
import { getRoute, type HttpRoute, sendJson } from "../rpc/web/http-route.ts";

/** How long a proxy may keep the keys, in seconds. */
const MAX_AGE_S = 300;

/** `GET /.well-known/jwks.json`: the public keys that verify tickets (and the development profile's user tokens). */
export function jwksRoute(keys: readonly JWK[]): HttpRoute {
  return getRoute("/.well-known/jwks.json", (response) => {
    response.setHeader("cache-control", `public, max-age=${MAX_AGE_S}`);
    sendJson(response, 200, { keys });
  });
}
