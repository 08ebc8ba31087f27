import type { IncomingMessage, ServerResponse } from "node:http";
import { cors } from "@connectrpc/connect";

/** Which origins of other pages may call this listener. */
export type OriginRule = (origin: string) => boolean;

/** Pages served by this machine, on any port: for the development profile. */
export const loopbackOrigins: OriginRule = (origin) =>
  /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin);

/**
 * Adds the headers that let pages of allowed origins call, and answers preflight requests; true if it answered.
 * Credentials are never cookies, so none are allowed.
 */
export function applyCors(allowed: OriginRule, request: IncomingMessage, response: ServerResponse): boolean {
  const origin = request.headers.origin;
  response.setHeader("vary", "Origin");
  if (origin === undefined || !allowed(origin)) return false;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-expose-headers", cors.exposedHeaders.join(", "));
  if (request.method !== "OPTIONS" || !request.headers["access-control-request-method"]) return false;
  response.writeHead(204, {
    "access-control-allow-methods": cors.allowedMethods.join(", "),
    "access-control-allow-headers": [...cors.allowedHeaders, "Authorization", "X-Request-Id"].join(", "),
    "access-control-max-age": "7200",
  });
  response.end();
  return true;
}
