import { createServer, type IncomingMessage } from "node:http";
import { isAbsolute } from "node:path";
import type { Metrics } from "../../base/metrics.ts";
import type { ListenAddress } from "../../rpc/listen-address.ts";
import { getRoute, type HttpRoute, pathOf, sendText } from "../../rpc/web/http-route.ts";
import { listen } from "../../rpc/web/web-server.ts";
import { type Backup, BackupError } from "../care/backup.ts";

/** What the admin port shows. */
export interface AdminView {
  /** Undefined when the program serves, else why it does not, in a word. */
  notReady(): string | undefined;
  /** What it serves without, in a sentence; undefined while nothing is missing. It is ready all the same. */
  degraded?(): string | undefined;
  /** Where rows and messages are, if not in the data folder. */
  readonly engine?: string | undefined;
  readonly metrics: Metrics;
  /** Left out where there is nothing to back up. */
  readonly backup?: BackupView;
}

/** A copy of the data, for who has the key. */
export interface BackupView {
  /** What a caller says as its bearer token. */
  readonly key: string;
  /** Makes a backup in this folder; resolves to what is told of it. Rejects with BackupError. */
  backUp(folder: string, progress: (text: string) => void): Promise<Backup>;
}

/** Bytes of a request. */
const MAX_BODY_BYTES = 16 * 1024;

/**
 * The admin listener, not for clients: `/healthz` (the process lives), `/readyz` (it takes calls; 503 while it
 * starts or drains), `/metrics` (Prometheus), and where there is one, with the key of the data folder, `POST /backup`.
 * Resolves to the port and a close. Rejects with ListenError.
 */
export async function startAdminServer(
  address: ListenAddress,
  view: AdminView,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const routes = adminRoutes(view);
  // In ms. Operators' tools are quick; one that opens a connection and says nothing must not hold it.
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
    if (routes.some((route) => route(request, response))) return;
    request.resume();
    sendText(response, 404, "not found");
  });
  const port = await listen(server, address);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // A scraper keeps its connection open: waiting for it would hold up the stop.
        server.closeAllConnections();
      }),
  };
}

function adminRoutes(view: AdminView): readonly HttpRoute[] {
  return [
    ...(view.backup ? [backupRoute(view.backup)] : []),
    getRoute("/healthz", (response) => sendText(response, 200, "alive")),
    getRoute("/readyz", (response) => {
      const reason = view.notReady();
      if (reason === undefined) sendText(response, 200, readiness(view));
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

function readiness({ degraded, engine }: AdminView): string {
  const why = degraded?.();
  if (why !== undefined) return `degraded: ${why}`;
  return engine === undefined ? "ready" : `ready, on ${engine}`;
}

/**
 * `POST /backup` with `{"folder": "/absolute/path"}`. Answers with a line of JSON for each step, `{"progress": …}`, and at
 * the end `{"backup": …}` or `{"error": …}`.
 */
function backupRoute({ key, backUp }: BackupView): HttpRoute {
  let isRunning = false;
  return (request, response) => {
    if (pathOf(request) !== "/backup") return false;
    const refuse = (status: number, text: string) => {
      request.resume();
      sendText(response, status, text);
      return true;
    };
    if (request.method !== "POST") return refuse(405, "use POST");
    if (request.headers.authorization !== `Bearer ${key}`)
      return refuse(401, "say the key of the data folder");
    if (isRunning) return refuse(409, "a backup is being made");
    isRunning = true;
    const say = (line: Readonly<Record<string, unknown>>) => response.write(`${JSON.stringify(line)}\n`);
    folderOf(request)
      .then((folder) => backUp(folder, (progress) => say({ progress })))
      .then(
        (backup) => say({ backup }),
        (error) => say({ error: error instanceof Error ? error.message : String(error) }),
      )
      .finally(() => {
        isRunning = false;
        response.end();
      });
    return true;
  };
}

/** Rejects with BackupError for what is no request, or no absolute path. */
async function folderOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) throw new BackupError("the request is too long");
  }
  let asked: unknown;
  try {
    asked = (JSON.parse(text) as { folder?: unknown } | null)?.folder;
  } catch {}
  if (typeof asked !== "string" || !isAbsolute(asked))
    throw new BackupError("name a folder, from the root on");
  return asked;
}
