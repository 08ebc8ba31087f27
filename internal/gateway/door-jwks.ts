import type { JWK } from "jose";
import { getRoute, type HttpRoute, sendJson } from "../rpc/web/http-route.ts";

/** How long a proxy may keep the keys, in seconds. */
const MAX_AGE_S = 300;

/** `GET /.well-known/jwks.json`: the public keys that verify tickets (and the development profile's user tokens). */
export function jwksRoute(keys: readonly JWK[]): HttpRoute {
  return keysRoute("/.well-known/jwks.json", () => keys);
}

/** `GET /.well-known/ticket-keys.json`: the public keys that verify tickets, as of now; for the edge of a mesh. */
export function ticketKeysRoute(keys: () => readonly JWK[]): HttpRoute {
  return keysRoute("/.well-known/ticket-keys.json", keys);
}

function keysRoute(path: string, keys: () => readonly JWK[]): HttpRoute {
  return getRoute(path, (response) => {
    response.setHeader("cache-control", `public, max-age=${MAX_AGE_S}`);
    sendJson(response, 200, { keys: keys() });
  });
}
