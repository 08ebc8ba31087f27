import { createServer } from "node:http";
import type { Metrics } from "../base/metrics.ts";
import { getRoute, type HttpRoute, sendText } from "../rpc/http-route.ts";
import type { ListenAddress } from "../rpc/listen-address.ts";
import { listen } from "../rpc/web-server.ts";

/** What the admin port shows. */
export interface AdminView {
  /** Undefined when the program serves, else why it does not, in a word. */
  notReady(): string | undefined;
  readonly metrics: Metrics;
}

/**
 * The admin listener, not for clients: `/healthz` (the process lives), `/readyz` (it takes calls; 503 while it
 * starts or drains), `/metrics` (Prometheus). Resolves to the port and a close. Rejects with ListenError.
 */
export async function startAdminServer(
  address: ListenAddress,
  view: AdminView,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const routes = adminRoutes(view);
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
    request.resume();
    if (!routes.some((route) => route(request, response))) sendText(response, 404, "not found");
  });
  const port = await listen(server, address);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function adminRoutes(view: AdminView): readonly HttpRoute[] {
  return [
    getRoute("/healthz", (response) => sendText(response, 200, "alive")),
    getRoute("/readyz", (response) => {
      const reason = view.notReady();
      if (reason === undefined) sendText(response, 200, "ready");
      else sendText(response, 503, reason);
    }),
    getRoute("/metrics", (response) => {
      view.metrics.metrics().then(
        (text) => {
          response.writeHead(200, { "content-type": view.metrics.contentType });
          response.end(text);
        },
        () => sendText(response, 500, "the metrics could not be collected"),
      );
    }),
  ];
}
