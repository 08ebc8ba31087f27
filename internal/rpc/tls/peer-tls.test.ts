import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { systemClock } from "../../base/clock.ts";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { createLog } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { Authority, type Service } from "../../engines/certificates/authority.ts";
import { LinkItemSchema } from "../../gen/heddle/link/v1/link_pb.js";
import { PushInternalService } from "../../gen/heddle/push/v1/push_internal_service_pb.js";
import { eventLoopTick } from "../../stream/each-tick.ts";
import type { ByteStream } from "../calls/byte-stream.ts";
import { insider } from "../calls/internal-services.ts";
import { createGrpcServer } from "../grpc/grpc-server.ts";
import { dialGrpc } from "../links/grpc-dialler.ts";
import { DEFAULT_LIMITS, FRAME_BYTES } from "../links/limits.ts";
import { LinkClient } from "../links/link-client.ts";
import { LinkServer, serves } from "../links/link-server.ts";
import { createRpcMetrics } from "../metrics.ts";
import { createWebServer } from "../web/web-server.ts";
import { PeerTls, serviceOf } from "./peer-tls.ts";

const ECHO = { number: 1, input: LinkItemSchema, output: LinkItemSchema };
const LINK = PushInternalService.method.link;
const anywhere = { host: "127.0.0.1", port: 0, text: "127.0.0.1:0" };
const below = { clock: systemClock, tick: eventLoopTick, limits: DEFAULT_LIMITS };

const context = () => ({
  clock: systemClock,
  log: createLog({ level: "silent" }),
  metrics: createRpcMetrics(createMetrics({ process: false })),
});

describe("Certificates between programs", () => {
  let authority: Authority;
  let other: Authority;
  let ends: (() => unknown)[];
  before(async () => {
    [authority, other] = await Promise.all([Authority.make(Date.now()), Authority.make(Date.now())]);
  });
  beforeEach(() => {
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends.toReversed()) await end();
  });

  const textsOf = async (service: Service, by = authority, ca = by.certificate) => ({
    ...(await by.issue(service, Date.now())),
    ca,
  });

  /** A push server that lets the gateway in. */
  async function pushServer(texts?: Awaited<ReturnType<typeof textsOf>>) {
    const tls = new PeerTls(texts ?? (await textsOf("push")));
    const refused: (string | undefined)[] = [];
    const serve = (stream: ByteStream) =>
      new LinkServer({
        ...below,
        stream,
        service: "push",
        handlers: [serves(ECHO, (asked) => asked)],
        fault: (error) => HeddleError.from(error, "r1"),
      });
    const server = createGrpcServer({
      services: [
        { desc: PushInternalService, authenticate: insider, handlers: { link: serve }, piecewise: new Set() },
      ],
      context: context(),
      isInternal: true,
      maxMessageBytes: FRAME_BYTES,
      admission: { tls, services: ["gateway"], refused: (service) => refused.push(service) },
    });
    ends.push(() => server.close());
    return { tls, refused, address: `127.0.0.1:${await server.listen(anywhere)}` };
  }

  /** A link of who has these certificates, or none. */
  function link(address: string, tls?: PeerTls) {
    const whys: string[] = [];
    const dial = () =>
      dialGrpc(address, LINK, {
        clock: systemClock,
        ...(tls && { secure: { tls, service: "push" } }),
        ended: (why) => whys.push(why),
      });
    const client = new LinkClient({ ...below, stream: dial(), service: "push" });
    ends.push(() => client.close());
    return { client, whys, echo: () => client.call(ECHO, { id: 5n }, 5_000) };
  }

  const unreachable = { reason: ErrorReason.PEER_UNAVAILABLE };

  it("let in whose service is named, and refuse everybody else, never as a matter of the client's", async () => {
    const { address, refused } = await pushServer();
    assert.equal((await link(address, new PeerTls(await textsOf("gateway"))).echo()).id, 5n);
    assert.deepEqual(refused, []);
    await assert.rejects(link(address, new PeerTls(await textsOf("message"))).echo(), unreachable);
    assert.deepEqual(refused, ["message"], "of another service");
    await assert.rejects(link(address).echo(), unreachable, "in clear");
    const stranger = new PeerTls(await textsOf("gateway", other, authority.certificate));
    await assert.rejects(link(address, stranger).echo(), unreachable, "of another authority");
    assert.deepEqual(new Set(refused), new Set(["message", undefined]));
  });

  it("are asked of who is dialled, too", async () => {
    const tls = new PeerTls(await textsOf("gateway"));
    const channel = link((await pushServer(await textsOf("channel"))).address, tls);
    await assert.rejects(channel.echo(), unreachable);
    assert.match(channel.whys.join(), /who answers is channel, not push/);
    const foreign = await textsOf("push", other, authority.certificate);
    await assert.rejects(link((await pushServer(foreign)).address, tls).echo(), unreachable);
  });

  it("change under links that go on, and count for those that are dialled next", async () => {
    const { address, tls, refused } = await pushServer();
    const gateway = new PeerTls(await textsOf("gateway"));
    const before = link(address, gateway);
    await before.echo();
    const both = `${authority.certificate}${other.certificate}`;
    for (const [peer, service] of [
      [tls, "push"],
      [gateway, "gateway"],
    ] as const)
      peer.replace(await textsOf(service, authority, both));
    await link(address, gateway).echo();
    for (const [peer, service] of [
      [tls, "push"],
      [gateway, "gateway"],
    ] as const)
      peer.replace(await textsOf(service, other, both));
    await link(address, gateway).echo();
    for (const [peer, service] of [
      [tls, "push"],
      [gateway, "gateway"],
    ] as const)
      peer.replace(await textsOf(service, other));
    await link(address, gateway).echo();
    await before.echo();
    assert.deepEqual(refused, []);
    const old = new PeerTls(await textsOf("gateway", authority, both));
    await assert.rejects(
      link(address, old).echo(),
      unreachable,
      "the authority of before is trusted no more",
    );
  });

  it("that do not fit are not taken: those of before go on to count", async () => {
    const { address } = await pushServer();
    const gateway = new PeerTls(await textsOf("gateway"));
    const { key } = await textsOf("gateway");
    assert.throws(() => gateway.replace({ ...gateway.texts, key }));
    await link(address, gateway).echo();
  });

  it("guard the web listener", async () => {
    const tls = new PeerTls(await textsOf("gateway"));
    const refused: (string | undefined)[] = [];
    const server = createWebServer({
      services: [],
      context: context(),
      routes: [(_, response) => response.end("hello") && true],
      admission: { tls, services: ["envoy"], refused: (service) => refused.push(service) },
    });
    ends.push(() => server.close());
    const port = await server.listen(anywhere);
    const get = async (texts?: { certificate: string; key: string }) => {
      const asked = request({
        port,
        host: "127.0.0.1",
        ca: authority.certificate,
        agent: false,
        ...(texts && { cert: texts.certificate, key: texts.key }),
      }).end();
      const [response] = await once(asked, "response");
      response.resume();
      return response.statusCode;
    };
    assert.equal(await get(await textsOf("envoy")), 200);
    await assert.rejects(get(await textsOf("push")));
    await assert.rejects(get());
    assert.ok(refused.includes("push") && refused.includes(undefined), `${refused}`);
    tls.replace(await textsOf("gateway", other));
    await assert.rejects(
      get(await textsOf("envoy")),
      "its certificate is of an authority that we do not trust now",
    );
  });

  it("name one service, and nothing that reads like one", () => {
    const named = (subjectaltname: string) => serviceOf({ subjectaltname });
    assert.equal(named("URI:spiffe://heddle/push, DNS:localhost, IP Address:127.0.0.1"), "push");
    for (const text of [
      "",
      "DNS:push",
      "URI:spiffe://heddle/push, URI:spiffe://heddle/message",
      "URI:spiffe://elsewhere/push",
      'DNS:"a, URI:spiffe://heddle/push, b"',
    ])
      assert.equal(named(text), undefined, text);
  });
});
