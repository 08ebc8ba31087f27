import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { gzipSync } from "node:zlib";

/** The built page (`make page`). Where it is missing, `/` answers 503 with what to do. */
export const BUILT_PAGE = join(import.meta.dirname, "../../../cmd/web/dist");

/** Answers a request and returns true, or leaves it alone and returns false. */
export type StaticFiles = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A file as it is answered, compressed once. */
interface StoredFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Undefined where compressing would not help. */
  readonly gzip: Buffer | undefined;
  readonly etag: string;
  readonly cacheControl: string;
}

/** Content types by extension. A file of another kind is not served. */
const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

type Headers = Readonly<Record<string, string>>;

/** The page loads nothing from elsewhere but pictures from hosts that are named, runs no inline script, stands in no frame. */
const guardsFor = (pictureHosts: readonly string[]): Headers => ({
  "content-security-policy":
    `default-src 'self'; img-src ${["'self'", ...pictureHosts.map((host) => `https://${host}`)].join(" ")}; ` +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; " +
    "require-trusted-types-for 'script'; trusted-types 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
});

/** What a newcomer sees who started the program without building the page. No style: the policy would stop it. */
const notBuilt = Buffer.from(
  "<!doctype html><meta charset=utf-8><title>Heddle</title>" +
    "<p>The page is not built. Stop the program and start it with <code>make run</code>, " +
    "which builds it, or run <code>make page</code>.",
);

/**
 * Serves the files below `root` (a built page, some hundred KB) from memory, to GET and HEAD. The folder is read once,
 * here, and a request is an exact look-up among the files found: no path from outside ever reaches the file system.
 * Files below `assets/` carry a hash in their name and are cached for a year; the rest is checked by ETag each time.
 * Where there is no `index.html`, `/` answers 503 with what to do. Throws if `root` exists but cannot be read.
 */
export function staticFiles(root: string, pictureHosts: readonly string[] = []): StaticFiles {
  const files = load(root);
  const guards = guardsFor(pictureHosts);
  return (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") return false;
    const path = pathOf(request.url ?? "/");
    const file = files.get(path);
    if (file) serve(file, guards, request, response);
    else if (path === "/") refuse(guards, response, request.method === "HEAD");
    else return false;
    return true;
  };
}

/** The path as it stands in the URL: names here need no decoding, so an encoded path is simply not found. */
function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? "/";
}

/** All files below a folder by their path in the URL. Those of a kind that is not in `types` are left out. */
function load(root: string): ReadonlyMap<string, StoredFile> {
  const files = new Map<string, StoredFile>();
  for (const path of list(root)) {
    const type = types[extname(path)];
    if (type === undefined) continue;
    const url = `/${relative(root, path).split(sep).join("/")}`;
    files.set(url === "/index.html" ? "/" : url, store(readFileSync(path), type, url));
  }
  return files;
}

function list(root: string): string[] {
  try {
    const found = readdirSync(root, { recursive: true, withFileTypes: true });
    return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Prepares a file. What is compressed already stays as it is. */
function store(bytes: Buffer, type: string, url: string): StoredFile {
  const gzip = /^image\/png|^font/.test(type) ? undefined : gzipSync(bytes, { level: 9 });
  return {
    type,
    bytes,
    gzip: gzip && gzip.length < bytes.length ? gzip : undefined,
    // Of the content: equal files of two builds, or of two servers, are not fetched twice.
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    cacheControl: url.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  };
}

function serve(file: StoredFile, guards: Headers, request: IncomingMessage, response: ServerResponse): void {
  const zipped = file.gzip && acceptsGzip(request) ? file.gzip : undefined;
  // The two forms are different bytes, so they have different tags.
  const etag = zipped ? file.etag.replace(/"$/, '-gz"') : file.etag;
  const headers: Record<string, string | number> = {
    ...guards,
    "cache-control": file.cacheControl,
    etag,
    vary: "accept-encoding",
  };
  if (names(request.headers["if-none-match"], etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  const body = zipped ?? file.bytes;
  headers["content-type"] = file.type;
  headers["content-length"] = body.length;
  if (zipped) headers["content-encoding"] = "gzip";
  response.writeHead(200, headers);
  response.end(request.method === "HEAD" ? undefined : body);
}

/** There is no page. 503 and no cache: it may be built at any moment. */
function refuse(guards: Headers, response: ServerResponse, isHead: boolean): void {
  const type = types[".html"] ?? "text/html";
  response.writeHead(503, { ...guards, "cache-control": "no-store", "content-type": type });
  response.end(isHead ? undefined : notBuilt);
}

/** Whether a client takes gzip; `gzip;q=0` says that it does not. */
function acceptsGzip(request: IncomingMessage): boolean {
  const accepted = String(request.headers["accept-encoding"] ?? "");
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(accepted);
}

/** Whether If-None-Match names the tag, weak or not. */
function names(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
}
