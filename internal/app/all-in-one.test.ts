import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Client, credentials } from "@grpc/grpc-js";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Code } from "../base/heddle-error.ts";
import { hex, newUuid } from "../base/ids.ts";
import { GatewayService } from "../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MessageService } from "../gen/heddle/message/v1/message_service_pb.js";
import { DrainingReason } from "../gen/heddle/push/v1/frame_pb.js";
import { ThreadService } from "../gen/heddle/thread/v1/thread_service_pb.js";
import { parseListenAddress } from "../rpc/listen-address.ts";
import { type Failure, grpcBytes } from "../testing/contract/raw-calls.ts";
import { RawStream } from "../testing/contract/raw-stream.ts";
import { devTokens } from "../testing/trials/programs/heddle-process.ts";
import { type Heddle, startHeddle } from "./all-in-one.ts";
import { developmentConfig, type HeddleConfig } from "./settings/config.ts";

/** Unary clients of one user, over Connect. */
async function signIn(heddle: Heddle, userId: string) {
  return clients(heddle, (await devTokens(heddle.webUrl, [userId]))[userId] ?? "");
}

function clients(heddle: Heddle, token: string) {
  const transport = createConnectTransport({
    baseUrl: heddle.webUrl,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  });
  return {
    token,
    gateway: createClient(GatewayService, transport),
    messages: createClient(MessageService, transport),
    threads: createClient(ThreadService, transport),
  };
}

describe("Heddle in one process", () => {
  let folder: string;
  let running: Heddle[];
  const start = async (changes: Partial<HeddleConfig> = {}, lines?: string[]) => {
    const options = lines ? { logDestination: { write: (line: string) => void lines.push(line) } } : {};
    const heddle = await startHeddle(developmentConfig(folder, { drainMs: 200, ...changes }), options);
    running.push(heddle);
    return heddle;
  };
  const status = async (url: string) => (await fetch(url)).status;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-app-"));
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((heddle) => heddle.close()));
    await rm(folder, { recursive: true });
  });

  it("bounds how often a source address opens sessions, by what named proxies say of it", async () => {
    const heddle = await start({ opensPerAddress: 2, proxies: new Set(["127.0.0.1"]) });
    const { gateway } = await signIn(heddle, "ann");
    const from = (address: string) =>
      gateway.openSession({ deviceId: "phone" }, { headers: { "x-forwarded-for": address } });
    for (let n = 0; n < 2; n++) await from("1.1.1.1, 203.0.113.7");
    await assert.rejects(from("2.2.2.2, 203.0.113.7"), /address/);
    await from("203.0.113.8");
    for (let n = 0; n < 3; n++) await gateway.openSession({ deviceId: "phone" });
    const unnamed = await start({ opensPerAddress: 2, dataDir: join(folder, "other") });
    const other = (await signIn(unnamed, "ann")).gateway;
    const headers = { "x-forwarded-for": "203.0.113.7" };
    for (let n = 0; n < 3; n++) await other.openSession({ deviceId: "phone" }, { headers });
  });

  it("carries a message from a unary call to a stream", async () => {
    const heddle = await start();
    const [ann, bob] = [await signIn(heddle, "ann"), await signIn(heddle, "bob")];
    const { ticket } = await bob.gateway.openSession({ deviceId: "phone" });
    const stream = new RawStream(heddle.grpcUrl, ticket);
    stream.open("phone");
    await stream.next("caughtUp");
    const sent = await ann.messages.send({
      target: { case: "toUserId", value: "bob" },
      clientId: newUuid(Date.now()),
      attempt: 1,
      body: { kind: { case: "text", value: { text: "hi" } } },
    });
    const entry = await stream.next("entry");
    stream.close();
    assert.equal(entry.seq, sent.seq);
    assert.equal(hex(entry.threadId), hex(sent.threadId));
    assert.equal(sent.recipientOffline, false);
  });

  it("opens no stream for long with a ticket from before its device was revoked", async () => {
    const heddle = await start();
    const bob = await signIn(heddle, "bob");
    const { ticket } = await bob.gateway.openSession({ deviceId: "phone" });
    await bob.threads.revokeDevice({ deviceId: "phone", requestId: newUuid(Date.now()) });
    const stream = new RawStream(heddle.grpcUrl, ticket);
    stream.open("phone");
    const { reason } = await stream.next("draining");
    assert.equal(reason, DrainingReason.DEVICE_REVOKED);
    assert.equal(await stream.ended(), undefined);
  });

  it("keeps its data, its keys and its tickets over a restart", async () => {
    const first = await start();
    const ann = await signIn(first, "ann");
    const { ticket } = await ann.gateway.openSession({ deviceId: "phone" });
    const requestId = newUuid(Date.now());
    const { thread } = await ann.threads.createDirectThread({ userId: "bob", requestId });
    await first.close();
    const second = await start({
      grpcAddress: addressOf(first.grpcUrl),
      webAddress: addressOf(first.webUrl),
    });
    const got = await ann.threads.getThread({ threadId: thread?.threadId ?? new Uint8Array(16) });
    assert.deepEqual(got.thread, thread);
    const stream = new RawStream(second.grpcUrl, ticket);
    stream.open("phone");
    await stream.next("opened");
    stream.close();
    await second.close();
    const kept = ["deployment-id", "keys", "messages", "threads.sqlite", "version.json"];
    assert.deepEqual((await readdir(folder)).sort(), kept);
  });

  it("says whether it is alive and ready, and what it measures", async () => {
    const { adminUrl } = await start();
    assert.equal(await status(`${adminUrl}/healthz`), 200);
    assert.equal(await status(`${adminUrl}/readyz`), 200);
    assert.equal(await status(`${adminUrl}/`), 404);
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    const names = [...metrics.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name = "", help = ""]) => ({
      name,
      help,
    }));
    assert.ok(names.length > 20);
    for (const { name, help } of names) {
      assert.match(name, /^(heddle|process|nodejs)_[a-z0-9_]+$/);
      assert.ok(help.length > 10, name);
    }
  });

  it("asks clients to move before it closes, and is not ready meanwhile", async () => {
    const heddle = await start({ drainMs: 1_000 });
    const ann = await signIn(heddle, "ann");
    const { ticket } = await ann.gateway.openSession({ deviceId: "phone" });
    const stream = new RawStream(heddle.grpcUrl, ticket);
    stream.open("phone");
    await stream.next("caughtUp");
    const closed = heddle.close();
    const { afterMs } = await stream.next("draining");
    assert.equal(afterMs, 1_000);
    assert.equal(await status(`${heddle.adminUrl}/readyz`), 503);
    assert.equal(await status(`${heddle.adminUrl}/healthz`), 200);
    stream.close();
    await closed;
    await assert.rejects(fetch(`${heddle.adminUrl}/healthz`));
  });

  it("closes in the end though a client stays", async () => {
    const heddle = await start({ drainMs: 100 });
    const ann = await signIn(heddle, "ann");
    const { ticket } = await ann.gateway.openSession({ deviceId: "phone" });
    const stream = new RawStream(heddle.grpcUrl, ticket);
    stream.open("phone");
    await stream.next("caughtUp");
    await heddle.close();
    await stream.ended();
  });

  it("in production takes the identity provider's tokens and offers nothing of development", async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const keys = [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256" }];
    const provider = createHttpServer((_, response) => response.end(JSON.stringify({ keys })));
    await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
    const { port } = provider.address() as { port: number };
    const jwksUrl = new URL(`http://127.0.0.1:${port}/jwks`);
    const auth = { ...developmentConfig(".").auth, provider: { issuer: "https://id.example", jwksUrl } };
    const heddle = await start({ profile: "production", auth, grpcUrl: "https://chat.example" });
    const token = await new SignJWT({ iss: "https://id.example", aud: "heddle", sub: "ann" })
      .setProtectedHeader({ alg: "RS256", kid: "k1" })
      .setExpirationTime("1m")
      .sign(privateKey);
    const { grpcUrl } = await clients(heddle, token).gateway.openSession({ deviceId: "phone" });
    provider.close();
    provider.closeAllConnections();
    assert.equal(grpcUrl, "https://chat.example");
    assert.equal((await fetch(`${heddle.webUrl}/dev/tokens`, { method: "POST" })).status, 404);
    const { keys: published } = (await (await fetch(`${heddle.webUrl}/.well-known/jwks.json`)).json()) as {
      keys: [];
    };
    assert.equal(published.length, 1);
    assert.ok(!(await readdir(join(folder, "keys"))).includes("dev-user.json"));
    const origin = { origin: "http://localhost:5173" };
    const answer = await fetch(`${heddle.webUrl}/`, { headers: origin });
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
    const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const call = grpcBytes(
      new Client(new URL(heddle.grpcUrl).host, credentials.createInsecure()),
      reflection,
    );
    assert.equal(((await call(new Uint8Array(0))) as Failure).code, Code.UNIMPLEMENTED);
  });

  it("logs no body and no token, at any level", async () => {
    const lines: string[] = [];
    const heddle = await start({ logLevel: "trace" }, lines);
    const ann = await signIn(heddle, "ann");
    const { ticket } = await ann.gateway.openSession({ deviceId: "phone" });
    const stream = new RawStream(heddle.grpcUrl, ticket);
    stream.open("phone");
    const body = { kind: { case: "text" as const, value: { text: "a very private thing" } } };
    const target = { case: "toUserId" as const, value: "bob" };
    const send = { target, clientId: newUuid(Date.now()), baseSeq: 0n, attempt: 1, body };
    stream.say({ case: "send", value: send });
    await stream.next("accepted");
    await assert.rejects(ann.messages.send({ ...send, baseSeq: 99n, clientId: newUuid(Date.now()) }));
    await assert.rejects(ann.messages.send({ ...send, clientId: new Uint8Array(3) }));
    await assert.rejects(fetch(`${heddle.webUrl}/x?token=${ann.token}`).then(() => Promise.reject()));
    stream.sayBytes(Buffer.from("a very private thing"));
    await stream.ended();
    await heddle.close();
    assert.ok(lines.length > 3, "the log says something");
    for (const secret of ["private thing", "eyJ", ann.token.slice(40, 60), ticket.slice(40, 60)]) {
      assert.ok(!lines.join("").includes(secret), `${secret} is in the log`);
    }
  });

  it("says which setting to change when a port is taken, and leaves nothing open", async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
    const { port } = squatter.address() as { port: number };
    const taken = addressOf(`http://127.0.0.1:${port}`);
    await assert.rejects(start({ grpcAddress: taken }), /^ListenError: HEDDLE_GRPC_ADDR: .* is taken/);
    await assert.rejects(start({ webAddress: taken }), /^ListenError: HEDDLE_WEB_ADDR: .* is taken/);
    await assert.rejects(start({ adminAddress: taken }), /^ListenError: HEDDLE_ADMIN_ADDR: .* is taken/);
    squatter.close();
    await start();
  });

  it("says what to do about a data folder that is in use, no folder, or damaged", async () => {
    await start();
    await assert.rejects(start(), /^DataFolderError: .*in use by another process/);
    const file = join(folder, "file");
    await writeFile(file, "");
    await assert.rejects(start({ dataDir: file }), /^DataFolderError: .*HEDDLE_DATA_DIR/);
    const other = join(folder, "other");
    const third = await start({ dataDir: other });
    await third.close();
    await writeFile(join(other, "keys/ticket.json"), "{}");
    await assert.rejects(start({ dataDir: other }), /^DataFolderError: .*ticket\.json is damaged/);
    if (process.getuid?.() === 0) return; // Root may read anything.
    await chmod(other, 0o000);
    await assert.rejects(start({ dataDir: other }), /^DataFolderError: .*read and write/);
    await chmod(other, 0o700);
  });
});

function addressOf(url: string) {
  const address = parseListenAddress(new URL(url).host);
  assert.ok(address);
  return address;
}
