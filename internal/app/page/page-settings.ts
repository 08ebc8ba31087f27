import { getRoute, type HttpRoute, sendJson } from "../../rpc/web/http-route.ts";

/**
 * `GET /page.json`: what the page must know of this deployment before anybody has signed in: `user_claim`, the claim of
 * a token that names the user. Nothing secret: anybody may ask.
 */
export function pageSettingsRoute(settings: { readonly userClaim: string }): HttpRoute {
  return getRoute("/page.json", (response) => {
    sendJson(response.setHeader("cache-control", "no-cache"), 200, { user_claim: settings.userClaim });
  });
}
