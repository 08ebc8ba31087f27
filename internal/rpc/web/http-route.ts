import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers a plain HTTP request and returns true, or leaves it alone and returns false. Must not throw. */
export type HttpRoute = (request: IncomingMessage, response: ServerResponse) => boolean;

/** The path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}

/** Answers with one line of text. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
  });
  response.end(`${text}\n`);
}

/** A GET route for one path. HEAD is answered too; another method gets 405. */
export function getRoute(path: string, answer: (response: ServerResponse) => void): HttpRoute {
  return (request, response) => {
    if (pathOf(request) !== path) return false;
    if (request.method === "GET" || request.method === "HEAD") answer(response);
    else sendText(response.setHeader("allow", "GET, HEAD"), 405, "use GET");
    return true;
  };
}
