import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { courseOfError } from "../../../client/stream/connection-reason.ts";
import { Code, type HeddleError } from "../../base/heddle-error.ts";
import { GatewayService } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { EdgeClient, PROTOCOLS } from "./edge-client.ts";
import { EdgeWorld } from "./edge-world.ts";
import { GatewayStandIn } from "./gateway-stand-in.ts";

/** Long for one core that others use too; the change itself takes a tenth of it. */
const SOON_MS = 1_000;

describe("The edge, when what is behind it changes", function () {
  this.timeout(120_000);
  let world: EdgeWorld;
  const clients: EdgeClient[] = [];

  before(async () => {
    world = await EdgeWorld.start();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  after(() => world?.close());

  const clientOf = async (name: string, protocol: (typeof PROTOCOLS)[number] = "grpc") => {
    const made = new EdgeClient(world, protocol, { authorization: `Bearer ${await world.ticket(name)}` });
    clients.push(made);
    return made;
  };

  /** Repeats a call until it succeeds, or until it fails. Resolves to how long that took, in ms. */
  const until = async (call: () => Promise<unknown>, succeeds: boolean): Promise<number> => {
    const startedMs = performance.now();
    for (;;) {
      const isDone = await call().then(
        () => succeeds,
        (error: HeddleError) => {
          assert.equal(error.code, Code.UNAVAILABLE, error.message);
          return !succeeds;
        },
      );
      const tookMs = performance.now() - startedMs;
      if (isDone || tookMs > 30_000) return tookMs;
    }
  };

  it("reaches a push server in less than a second after it registered, and no longer once it has left", async () => {
    const first = await world.push("push-0"); // What is done for the first time alone is not measured.
    const other = await clientOf("push-0");
    await until(() => other.submit(), true);
    first.behind.kill();
    const caller = await clientOf("push-1");
    await assert.rejects(caller.submit());
    const push = await world.push("push-1");
    const joinMs = await until(() => caller.submit(), true);
    await push.behind.registration.leaving();
    await caller.submit();
    await push.behind.registration.revoke();
    const leaveMs = await until(() => caller.submit(), false);
    push.behind.kill();
    console.log(`      joined in ${Math.round(joinMs)} ms, left in ${Math.round(leaveMs)} ms`);
    assert.ok(joinMs < SOON_MS, `joined in ${joinMs} ms`);
    assert.ok(leaveMs < SOON_MS, `left in ${leaveMs} ms`);
  });

  for (const protocol of PROTOCOLS) {
    it(`tells clients by ${protocol} of a push server that was killed: ask the gateway again`, async () => {
      const push = await world.push(`killed-${protocol}`);
      const caller = await clientOf(push.name, protocol);
      await until(() => caller.submit(), true);
      const subscribed = await caller.subscribe();
      push.behind.kill();
      const end = await subscribed.ended;
      // An end without an error is one without `draining`, of which clients think the same.
      if (end)
        assert.equal(courseOfError(end).reason.kind, "server-away", `${Code[end.code]}: ${end.message}`);
      await assert.rejects(caller.submit(), (error: HeddleError) => error.code === Code.UNAVAILABLE);
      console.log(`      ${end ? `${Code[end.code]}: ${end.message}` : "an end without an error"}`);
    });
  }

  it("asks another instance as soon as one is leaving, and all where all are", async () => {
    const leaver = new GatewayStandIn();
    const { registration } = await world.serve("gateway", "gateway-2", [leaver.binding]);
    const caller = new EdgeClient(world, "grpc");
    clients.push(caller);
    const ask = () => createClient(GatewayService, caller.transport).openSession({ deviceId: "phone" });
    while (leaver.sources.length === 0) await ask();
    await registration.leaving();
    while ((await world.draining("gateway")) === 0) await new Promise(setImmediate);
    const before = leaver.sources.length;
    for (let at = 0; at < 20; at++) await ask();
    assert.equal(leaver.sources.length, before, "who is leaving is asked nothing more");
    await world.gatewayRegistration?.leaving();
    while ((await world.draining("gateway")) < 2) await new Promise(setImmediate);
    for (let at = 0; at < 20; at++) await ask();
    assert.ok(leaver.sources.length > before);
    await registration.revoke();
  });

  it("takes up a new key of tickets, and keeps the old one while it is published", async () => {
    const push = await world.push("keyed");
    const old = world.keys[0];
    const key = await world.newKey();
    world.keys = [...world.keys, key];
    const fresh = await world.push("keyed-2");
    const byOld = new EdgeClient(world, "grpc", {
      authorization: `Bearer ${await world.ticket(push.name, old)}`,
    });
    const byNew = new EdgeClient(world, "grpc", {
      authorization: `Bearer ${await world.ticket(fresh.name, key)}`,
    });
    clients.push(byOld, byNew);
    await until(() => byNew.submit(), true);
    await byOld.submit();
  });

  it("takes up renewed certificates by which it is known, losing no stream", async () => {
    const push = await world.push("renewed");
    const caller = await clientOf("renewed");
    await until(() => caller.submit(), true);
    const subscribed = await caller.subscribe();
    const taken = ["listener.*server_ssl", "cluster.push.client_ssl"].map(
      (part) => `${part}_socket_factory.ssl_context_update_by_sds`,
    );
    const before = await Promise.all(taken.map((name) => world.stat(name)));
    const shown = await world.shownCertificate();
    await world.renewCertificates();
    for (const [at, name] of taken.entries()) {
      while ((await world.stat(name)) <= (before[at] ?? 0)) await new Promise(setImmediate);
    }
    assert.notEqual(await world.shownCertificate(), shown);
    const next = await clientOf("renewed");
    await next.submit();
    assert.equal(push.streams.size, 1);
    subscribed.close();
  });

  for (const protocol of PROTOCOLS) {
    it(`ends the streams of clients by ${protocol} when it dies, and serves again after a restart`, async () => {
      const push = await world.push(`stays-${protocol}`);
      const caller = await clientOf(push.name, protocol);
      await until(() => caller.submit(), true);
      const subscribed = await caller.subscribe();
      const process = world.envoy.processes.get("envoy");
      process?.kill("SIGKILL");
      const end = await subscribed.ended;
      if (end)
        assert.equal(courseOfError(end).reason.kind, "server-away", `${Code[end.code]}: ${end.message}`);
      await process?.ended;
      await world.envoy.restart("envoy");
      const again = await clientOf(push.name, protocol);
      assert.equal((await again.subscribe()).name, push.name);
    });
  }
});
