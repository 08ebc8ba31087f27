import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { grpcTransport } from "../../../client/grpc/transport.ts";
import { type Client, connect, type HeddleError } from "../../../client/index.ts";
import { webTransport } from "../../../client/web/transport.ts";
import { GatewayService } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { ThreadService } from "../../gen/heddle/thread/v1/thread_service_pb.js";
import { IdentityProvider } from "../fakes/neighbours/identity-provider.ts";
import { HeddleProcess } from "../trials/programs/heddle-process.ts";
import { RawStream } from "./raw-stream.ts";

/** The longest id, different for each number. */
const long = (at: number) => `${at}|`.padStart(255, "~!/#%?&+@:\"'\\");

/** User ids as OpenID Connect allows them, up to the longest, in every place that one may stand in. */
describe("User ids", function () {
  this.timeout(120_000);
  let provider: IdentityProvider;
  let dataDir: string;
  let heddle: HeddleProcess;
  const clients = new Set<Client>();

  before(async () => {
    provider = await IdentityProvider.start();
    dataDir = await mkdtemp(join(tmpdir(), "heddle-user-ids-"));
    heddle = await HeddleProcess.start(dataDir, {
      env: { ...provider.env, HEDDLE_SIGHT_RULE: "shared-thread" },
    });
  });
  afterEach(async () => {
    await Promise.all([...clients].map((client) => client.close()));
    clients.clear();
  });
  after(async () => {
    await heddle.stop();
    await provider.close();
    await rm(dataDir, { recursive: true });
  });

  /** Both kinds of client: each has limits of its own on what a header may hold. */
  const transportOf = (how: "grpc" | "web") =>
    how === "grpc"
      ? grpcTransport({ url: heddle.addresses.grpcUrl })
      : webTransport({ url: heddle.addresses.webUrl });

  /** Signs in by the identity provider, as a real deployment does; resolves when all is known. */
  async function signIn(userId: string, how: "grpc" | "web" = "grpc", deviceId = "one"): Promise<Client> {
    const token = await provider.sign(userId);
    const credentials = async () => token;
    const client = await connect({ userId, deviceId, transport: transportOf(how), credentials });
    clients.add(client);
    await client.ready();
    return client;
  }

  /** Resolves when it is so: looked at now, and at each change that the client tells. */
  function until(client: Client, isIt: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const stop = client.on(() => {
        if (isIt()) {
          stop();
          resolve();
        }
      });
      if (isIt()) resolve();
    });
  }

  /** What a client shows of a thread, in order. */
  const texts = (client: Client, threadId: string) =>
    client.conversation(threadId).entries.map(({ body }) => (body.kind === "text" ? body.text : body.kind));

  it("that differ in case alone, or by a separator, are different users", async () => {
    const ids = [
      "Ann",
      "ann",
      "ann/1",
      "ann|1",
      "ann#1",
      "+ann",
      "-ann",
      "ann..",
      "..",
      ".",
      "__proto__",
      "%41nn",
    ];
    const all = await Promise.all(ids.map((id, at) => signIn(id, at % 2 ? "web" : "grpc")));
    const threads = new Set<string>();
    for (const to of ids.slice(1)) threads.add((await all[0]?.direct(to))?.threadId ?? "");
    assert.equal(threads.size, ids.length - 1);
    for (const [at, to] of ids.entries()) {
      if (at > 0) await (await all[0]?.send({ to }, `for ${to}`))?.outcome();
    }
    for (const [at, client] of all.entries()) {
      if (at === 0) continue;
      await until(client, () => client.threads().length === 1 && client.threads()[0]?.unread === 1);
      const [thread] = client.threads();
      assert.equal(thread?.peer, "Ann");
      await client.conversation(thread?.threadId ?? "").open();
      assert.deepEqual(texts(client, thread?.threadId ?? ""), [`for ${ids[at]}`]);
    }
  });

  it("of 255 characters bring a group of 256 to its members, live and later", async () => {
    const [ann, bob] = [long(0), long(1)];
    const [a, b, w] = [await signIn(ann), await signIn(bob), await signIn(long(2), "web")];
    const others = Array.from({ length: 255 }, (_, at) => long(at + 1));
    const { threadId, memberCount } = await a.groups.create("Long names", others);
    assert.equal(memberCount, 256);
    for (const client of [b, w]) {
      await until(client, () => texts(client, threadId).includes("member_change"));
      const [entry] = client.conversation(threadId).entries;
      assert.equal(entry?.body.kind === "member_change" && entry.body.added.length, 256);
    }
    await a.groups.add(
      threadId,
      Array.from({ length: 256 }, (_, at) => long(at + 300)),
    );
    await (await b.send({ threadId }, "hello")).outcome();
    for (const client of [a, w]) await until(client, () => texts(client, threadId).includes("hello"));
    const late = await signIn(long(255));
    await late.conversation(threadId).open();
    assert.deepEqual(texts(late, threadId), ["member_change", "member_change", "hello"]);
    const listed: string[] = [];
    for (let pageToken: string | undefined; pageToken !== ""; ) {
      const page = await a.groups.members(threadId, pageToken);
      listed.push(...page.members.map(({ userId }) => userId));
      pageToken = page.nextPageToken ?? "";
    }
    const expected = [ann, ...others, ...Array.from({ length: 256 }, (_, at) => long(at + 300))];
    assert.deepEqual(listed, expected.toSorted());
    await a.groups.remove(threadId, others.slice(100));
    await until(a, () => a.threads().find((one) => one.threadId === threadId)?.memberCount === 357);
  });

  it("of 255 characters are blocked, listed, watched and seen", async () => {
    const ann = await signIn(long(1_000));
    const others = Array.from({ length: 203 }, (_, at) => long(at + 1_001));
    for (const other of others) await ann.blocks.block(other);
    const first = await ann.blocks.list();
    const second = await ann.blocks.list(first.nextPageToken);
    assert.deepEqual([...first.userIds, ...second.userIds], others.toSorted());
    const friends = Array.from({ length: 100 }, (_, at) => long(at + 2_000));
    await ann.groups.create("Friends", friends);
    ann.watch(friends);
    const [one, two] = [await signIn(friends[0] ?? ""), await signIn(friends[99] ?? "", "web")];
    for (const { userId } of [one, two]) {
      await until(ann, () => ann.presence(userId)?.status === "online");
    }
    assert.equal((await one.send({ to: long(1_000) }, "hi")).item.to, long(1_000));
  });

  it("of 255 characters leave room in a stream for the presence of all who are watched", async () => {
    const stream = new RawStream(heddle.addresses.grpcUrl, await ticketOf(long(3_000)));
    stream.open("phone");
    const watched = Array.from({ length: 100 }, (_, at) => long(at + 4_000));
    const group = { name: "All", userIds: watched, requestId: new Uint8Array(16).fill(9) };
    await call(ThreadService.method.createGroup, group, await provider.sign(long(3_000)));
    stream.say({ case: "watch", value: { userIds: watched } as never });
    const seen = new Set<string>();
    while (seen.size < 100) {
      seen.add((await stream.next("presence")).userId);
      stream.ack();
    }
    stream.close();
  });

  for (const how of ["grpc", "web"] as const) {
    it(`come with a token of 8,192 bytes and no longer, on ${how}`, async () => {
      const pad = async (bytes: number) => {
        for (let length = Math.floor((bytes * 3) / 4); ; length--) {
          const token = await provider.sign(long(1), { claims: { pad: "x".repeat(length) } });
          if (token.length <= bytes) return token;
        }
      };
      const token = await pad(8_192);
      assert.ok(token.length > 8_180, `${token.length}`);
      const { ticket } = await call(
        GatewayService.method.openSession,
        { deviceId: "x".repeat(128) },
        token,
        how,
      );
      assert.ok(ticket);
      const longer = await pad(8_400);
      await assert.rejects(
        call(GatewayService.method.openSession, { deviceId: "phone" }, longer, how),
        (error: HeddleError) => error.reasonName === "TOKEN_INVALID",
      );
    });
  }

  it("are another claim than sub, for one of several audiences, by a clock that is off, where settings say so", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-user-claim-"));
    const settings = {
      HEDDLE_AUTH_USER_CLAIM: "email",
      HEDDLE_AUTH_AUDIENCE: "app, web",
      HEDDLE_AUTH_CLOCK_TOLERANCE_S: "60",
    };
    const other = await HeddleProcess.start(folder, { env: { ...provider.env, ...settings } });
    const transport = grpcTransport({ url: other.addresses.grpcUrl });
    const nowS = Math.floor(Date.now() / 1000);
    const open = async (claims: object) => {
      const token = await provider.sign(undefined, {
        claims: { aud: "web", email: "Ann@x.example", ...claims },
      });
      const options = { token, timeoutMs: 10_000, signal: undefined };
      return transport.call(GatewayService.method.openSession, { deviceId: "phone" }, options).then(
        () => "opened",
        (error: HeddleError) => `${error.reasonName} ${error.metadata.claim ?? ""}`.trim(),
      );
    };
    assert.equal(await open({}), "opened");
    assert.equal(await open({ aud: ["else", "app"] }), "opened");
    assert.equal(await open({ aud: "heddle" }), "TOKEN_INVALID aud");
    assert.equal(await open({ email: 5 }), "TOKEN_INVALID email");
    assert.equal(await open({ email: undefined, sub: "ann" }), "TOKEN_INVALID email");
    assert.equal(await open({ exp: nowS - 20 }), "opened");
    assert.equal(await open({ exp: nowS - 90 }), "TOKEN_EXPIRED");
    assert.equal(await open({ nbf: nowS + 30 }), "opened");
    assert.equal(await open({ nbf: nowS + 90 }), "TOKEN_INVALID nbf");
    assert.equal(await open({ iat: nowS + 30 }), "opened");
    assert.equal(await open({ iat: nowS + 90 }), "TOKEN_INVALID iat");
    transport.close();
    await other.stop();
    await rm(folder, { recursive: true });
  });

  async function call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    token: string,
    how: "grpc" | "web" = "grpc",
  ): Promise<MessageShape<O>> {
    const transport = transportOf(how);
    try {
      return await transport.call(method, request, { token, timeoutMs: 10_000, signal: undefined });
    } finally {
      transport.close();
    }
  }

  async function ticketOf(userId: string): Promise<string> {
    const token = await provider.sign(userId);
    return (await call(GatewayService.method.openSession, { deviceId: "phone" }, token)).ticket;
  }
});
