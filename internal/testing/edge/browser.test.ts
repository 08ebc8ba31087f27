import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { connect } from "../../../client/index.ts";
import { grpcTransport } from "../../../client/node.ts";
import { buildPage } from "../../../cmd/web/build.ts";
import { type Heddle, startHeddle } from "../../app/all-in-one.ts";
import { developmentConfig } from "../../app/settings/config.ts";
import { devTokens } from "../trials/programs/heddle-process.ts";
import { bubble, launchChromium, signIn, startChat, write } from "../trials/programs/page-browser.ts";
import { EdgeWorld } from "./edge-world.ts";

/** Heddle in one process has every service on its ports: behind the edge it stands for all of them. */
describe("Browsers through the edge", function () {
  this.timeout(180_000);
  let world: EdgeWorld;
  let heddle: Heddle;
  let chromium: Browser;
  let context: BrowserContext;
  let dataDir: string;

  before(async () => {
    await buildPage();
    dataDir = await mkdtemp(join(tmpdir(), "heddle-edge-browser-"));
    world = await EdgeWorld.start({ hasGateway: false });
    const [grpcUrl, webUrl] = [world.url, world.url];
    heddle = await startHeddle(developmentConfig(dataDir, { drainMs: 500, grpcUrl, webUrl }));
    const ports = { grpc: portOf(heddle.grpcUrl), web: portOf(heddle.webUrl) };
    for (const service of ["gateway", "push", "message", "thread", "presence"] as const)
      await world.front(service, "push", ports);
    chromium = await launchChromium();
    context = await chromium.newContext({ baseURL: world.url, ignoreHTTPSErrors: true });
    context.setDefaultTimeout(30_000);
    await world.knowsTicketKeys();
  });
  after(async () => {
    await chromium?.close();
    await heddle?.close();
    await world?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it("chat by gRPC-Web: the page, and a message each way", async () => {
    const bob = await signedIn(
      await chromium.newContext({ baseURL: world.url, ignoreHTTPSErrors: true }),
      "bob",
    );
    const ann = await signedIn(context, "ann");
    await startChat(ann, "bob");
    await startChat(bob, "ann");
    await write(ann, "through the edge");
    await bubble(bob, "through the edge").waitFor();
    await write(bob, "and back");
    await bubble(ann, "and back").waitFor();
  });

  it("chat by Connect: OpenSession, Subscribe and Submit, with the reasons of refusals", async () => {
    const page = await context.newPage();
    await page.goto("/");
    const said = await page.evaluate(connectSession, ["cleo", "dan"] as const);
    assert.deepEqual(said, {
      first: "opened",
      outcome: "accepted",
      heard: "hello dan",
      refusal: ["unauthenticated", "google.rpc.ErrorInfo"],
    });
  });

  it("come back by themselves when Envoy was killed, with native clients, and miss nothing", async () => {
    const dan = await signedIn(
      await chromium.newContext({ baseURL: world.url, ignoreHTTPSErrors: true }),
      "dan",
    );
    await startChat(dan, "eve");
    const tokens = await devTokens(heddle.webUrl, ["eve"]);
    const eve = await connect({
      userId: "eve",
      deviceId: "laptop",
      transport: grpcTransport({ url: world.url, ca: world.ca }),
      credentials: async () => tokens.eve ?? "",
    });
    await eve.ready();
    const process = world.envoy.processes.get("envoy");
    process?.kill("SIGKILL");
    await process?.ended;
    await eve.send({ to: "dan" }, "while nobody is reached");
    await write(dan, "and from the page");
    await world.envoy.restart("envoy");
    await bubble(dan, "while nobody is reached").waitFor();
    const { threadId } = await eve.direct("dan");
    for (;;) {
      const { entries } = eve.conversation(threadId);
      if (entries.some(({ body }) => body.kind === "text" && body.text === "and from the page")) break;
      await new Promise<void>((resolve) => {
        const stop = eve.on(() => {
          stop();
          resolve();
        });
      });
    }
    await eve.close();
  });

  async function signedIn(of: BrowserContext, name: string): Promise<Page> {
    const page = await of.newPage();
    await page.goto("/");
    await signIn(page, name);
    return page;
  }
});

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** Runs in the page: Connect in JSON by fetch, as a page without Heddle's library would speak it. */
async function connectSession([from, to]: readonly [string, string]) {
  type Json = Record<string, never>;
  const post = async (path: string, token: string, body: object) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    return (await answer.json()) as Json;
  };
  const { tokens = {} as Json } = await post("/dev/tokens", "", { users: [from, to] });
  const openSession = "/heddle.gateway.v1.GatewayService/OpenSession";
  const [sender, hearer] = [from, to].map((user) =>
    post(openSession, String(tokens[user]), { deviceId: "page" }),
  );
  const { ticket, webUrl } = (await hearer) ?? {};

  const request = new TextEncoder().encode(JSON.stringify({ deviceId: "page" }));
  const framed = new Uint8Array(5 + request.length);
  new DataView(framed.buffer).setUint32(1, request.length);
  framed.set(request, 5);
  const stream = await fetch(`${webUrl}/heddle.push.v1.PushService/Subscribe`, {
    method: "POST",
    headers: { "content-type": "application/connect+json", authorization: `Bearer ${ticket}` },
    body: framed,
  });
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  const queue: Json[] = [];
  let bytes = new Uint8Array(0);
  /** The next event of the stream. */
  const next = async () => {
    while (queue.length === 0) {
      const { value } = await reader.read();
      if (!value) throw new Error(`the stream ended: ${stream.status}`);
      const joined = new Uint8Array(bytes.length + value.length);
      joined.set(bytes);
      joined.set(value, bytes.length);
      bytes = joined;
      for (;;) {
        const length = bytes.length < 5 ? Number.POSITIVE_INFINITY : new DataView(bytes.buffer).getUint32(1);
        if (bytes.length < 5 + length) break;
        const frame = JSON.parse(new TextDecoder().decode(bytes.subarray(5, 5 + length)));
        queue.push(...frame.events);
        bytes = bytes.slice(5 + length);
      }
    }
    return queue.shift() as Json;
  };

  const opened = await next();
  while (!("caughtUp" in (await next()))) {}
  const pairs = crypto.randomUUID().replaceAll("-", "").match(/../g) ?? [];
  const clientId = btoa(String.fromCharCode(...pairs.map((pair) => Number.parseInt(pair, 16))));
  const send = { toUserId: to, clientId, attempt: 1, body: { text: { text: `hello ${to}` } } };
  const submitted = await post("/heddle.push.v1.PushService/Submit", String((await sender)?.ticket), {
    frames: [{ send }],
  });
  const [outcome = {} as Json] = (submitted.outcomes ?? []) as Json[];
  let event = await next();
  while (!("entry" in event)) event = await next();
  const entry = event.entry as { body: { text: { text: string } } };
  await reader.cancel();
  const refused = await post(openSession, "no token", { deviceId: "page" });
  const [detail = {} as Json] = (refused.details ?? []) as Json[];
  return {
    first: Object.keys(opened)[0],
    outcome: Object.keys(outcome)[0],
    heard: entry.body.text.text,
    refusal: [refused.code, detail.type],
  };
}
