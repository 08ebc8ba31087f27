import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { staticFiles } from "./static-files.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const html = "<!doctype html><title>Heddle</title>";
const script = `console.log(1);${" ".repeat(2000)}`;

describe("Static files", () => {
  let folder: string;
  let server: Server;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "heddle-static-"));
    const root = join(folder, "dist");
    mkdirSync(join(root, "assets"), { recursive: true });
    writeFileSync(join(root, "index.html"), html);
    writeFileSync(join(root, "assets/main-1234.js"), script);
    writeFileSync(join(root, "key.pem"), "of a kind that is not served");
    writeFileSync(join(folder, "secret.txt"), "outside");
    server = await listen(root);
  });

  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  it("serve the page under a policy that allows its own origin only", async () => {
    const answer = await get(server, "/?x=1");
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), html);
    assert.equal(answer.headers["content-type"], "text/html; charset=utf-8");
    assert.match(String(answer.headers["content-security-policy"]), /^default-src 'self';/);
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
    assert.equal(answer.headers["cache-control"], "no-cache");
  });

  it("cache for ever what carries a hash in its name, and compress it", async () => {
    const answer = await get(server, "/assets/main-1234.js", { "accept-encoding": "br, gzip" });
    assert.equal(answer.headers["content-type"], "text/javascript; charset=utf-8");
    assert.match(String(answer.headers["cache-control"]), /immutable/);
    assert.equal(answer.headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(answer.body).toString(), script);
    const plain = await get(server, "/assets/main-1234.js", { "accept-encoding": "gzip;q=0" });
    assert.equal(plain.headers["content-encoding"], undefined);
    assert.notEqual(plain.headers.etag, answer.headers.etag);
  });

  it("answer 304 to one who has the file, and nothing but headers to HEAD", async () => {
    const first = await get(server, "/");
    const again = await get(server, "/", { "if-none-match": `"other", W/${first.headers.etag}` });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
    const head = await get(server, "/", {}, "HEAD");
    assert.equal(head.headers["content-length"], String(html.length));
    assert.equal(head.body.length, 0);
  });

  it("leave alone whatever is no file below the folder", async () => {
    const paths = [
      "/../secret.txt",
      "/assets/../../secret.txt",
      "/%2e%2e/secret.txt",
      "/assets/..%2f..%2fsecret.txt",
    ];
    for (const path of [
      ...paths,
      "/..\\secret.txt",
      "//",
      "/assets",
      "/assets/",
      "/key.pem",
      "/index.html%00",
    ]) {
      assert.equal((await get(server, path)).status, 404, path);
    }
    assert.equal((await get(server, "/", {}, "POST")).status, 404);
  });

  it("say what to do where the page is not built", async () => {
    const empty = await listen(join(folder, "missing"));
    const answer = await get(empty, "/");
    empty.close();
    assert.equal(answer.status, 503);
    assert.match(answer.body.toString(), /make run/);
  });
});

/** A server that answers 404 to what the files leave alone. */
async function listen(root: string): Promise<Server> {
  const files = staticFiles(root);
  const server = createServer((request, response) => {
    if (!files(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** Sends the path as it is: fetch would tidy it up. */
function get(server: Server, path: string, headers = {}, method = "GET"): Promise<Answer> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const call = httpRequest({ host: "127.0.0.1", port, path, headers, method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    call.on("error", reject);
    call.end();
  });
}
