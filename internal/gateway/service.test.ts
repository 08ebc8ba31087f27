import assert from "node:assert/strict";
import { ErrorReason, HeddleError, storeUnavailable } from "../base/heddle-error.ts";
import { fromHex } from "../base/ids.ts";
import { newSessionId } from "../base/session-id.ts";
import type { OpenSessionRequest, RenewTicketRequest } from "../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MemoryRegistry } from "../registry/push-servers.ts";
import type { TicketGrant } from "../rpc/credentials/tickets.ts";
import { callerNamed } from "../testing/fakes/streams/rpc-listeners.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { AddressLimit } from "./address-limit.ts";
import { type GatewayPorts, GatewayService } from "./service.ts";

describe("The gateway", () => {
  let registry: MemoryRegistry;
  let loads: Record<string, number>;
  let devices: Record<string, string[]>;
  let state: "open" | "revoked" | "full" | HeddleError;
  let signed: TicketGrant[];
  let live: readonly string[];
  let gateway: GatewayService;

  const offer = (name: string, capacity = 10) => ({
    name,
    grpcUrl: `http://${name}:1`,
    webUrl: `http://${name}:2`,
    capacity,
    load: () => loads[name] ?? 0,
  });
  const call = (userId: string) => ({
    caller: callerNamed(userId),
    source: "203.0.113.7",
    requestId: "r",
    signal: new AbortController().signal,
  });
  const open = (deviceId = "phone", userId = "ann") => {
    const request = { deviceId, unansweredSessionId: new Uint8Array(0) };
    return gateway.handlers.openSession(request as OpenSessionRequest, call(userId));
  };
  /** Which push server is allotted to a device that gave a session up. */
  const openAfter = async (unansweredSessionId: Uint8Array) => {
    await gateway.handlers.openSession(
      { deviceId: "phone", unansweredSessionId } as OpenSessionRequest,
      call("ann"),
    );
    return signed.at(-1)?.pushServer;
  };
  const renew = (sessionId: Uint8Array, userId = "ann") =>
    gateway.handlers.renewTicket({ sessionId } as RenewTicketRequest, call(userId));

  const ports = (): GatewayPorts => ({
    registry,
    devices: {
      openDevice: async (_userId, _deviceId, live) => {
        if (state instanceof HeddleError) throw state;
        if (state === "full" && live && live.length === 0) return "open";
        return state;
      },
      listDevices: async (userId) => (devices[userId] ?? []).map((deviceId) => ({ deviceId })),
    },
    streams: { devicesOf: () => live },
    tickets: {
      sign: async (grant) => {
        signed.push(grant);
        return { ticket: `ticket-${signed.length}`, expiresAtMs: 5 };
      },
    },
  });

  beforeEach(() => {
    registry = new MemoryRegistry();
    loads = {};
    devices = { ann: ["phone", "tablet"], bob: ["phone-2"] };
    live = ["phone"];
    state = "open";
    signed = [];
    gateway = new GatewayService({ ...ports(), random: () => 0.99 });
  });

  it("allots another push server than the one that did not answer, as long as another has room", async () => {
    for (const name of ["a", "b", "c"]) registry.register(offer(name, 1));
    loads = { b: 1 };
    assert.equal(await openAfter(newSessionId("a", "ann", "phone")), "c");
    assert.equal(await openAfter(newSessionId("c", "ann", "phone")), "a");
    loads = { b: 1, c: 1 };
    assert.equal(await openAfter(newSessionId("a", "ann", "phone")), "a");
  });

  it("ends no session, and allots none, while nothing is known of the push servers", async () => {
    registry.register(offer("a"));
    await open("phone");
    const { sessionId = new Uint8Array(16) } = signed[0] ?? {};
    for (const pushServers of [undefined, []]) {
      const made = new GatewayService({ ...ports(), registry: { pushServers: () => pushServers } });
      const asked = made.handlers.renewTicket({ sessionId } as never, call("ann"));
      const reason = pushServers ? ErrorReason.NO_SESSION : ErrorReason.STORE_UNAVAILABLE;
      await assert.rejects(
        async () => asked,
        (error) => error instanceof HeddleError && error.reason === reason,
      );
      await assert.rejects(
        async () => made.handlers.openSession({ deviceId: "phone" } as never, call("ann")),
        HeddleError,
      );
    }
  });

  it("renews tickets of a push server that leaves, and allots it to nobody", async () => {
    registry.register(offer("a"));
    await open("phone");
    const { sessionId = new Uint8Array(16) } = signed[0] ?? {};
    const leaving = registry.pushServers().map((server) => ({ ...server, isLeaving: true }));
    const made = new GatewayService({ ...ports(), registry: { pushServers: () => leaving } });
    await made.handlers.renewTicket({ sessionId } as never, call("ann"));
    await assert.rejects(
      async () => made.handlers.openSession({ deviceId: "phone" } as never, call("ann")),
      HeddleError,
    );
  });

  it("lets a device that is known come while the store cannot write, and no other", async () => {
    registry.register(offer("a"));
    state = storeUnavailable("thread");
    assert.equal((await open("tablet")).ticket, "ticket-1");
    await assert.rejects(open("watch"), state);
  });

  it("allots the push server with more room of two", async () => {
    registry.register(offer("a"));
    registry.register(offer("b", 20));
    registry.register(offer("c"));
    loads = { a: 2, b: 15, c: 1 };
    assert.deepEqual(await open(), {
      ticket: "ticket-1",
      grpcUrl: "http://c:1",
      webUrl: "http://c:2",
      expiresAtMs: 5n,
    });
    assert.equal(signed[0]?.pushServer, "c");
    assert.equal(signed[0]?.userId, "ann");
    assert.equal(signed[0]?.deviceId, "phone");
  });

  it("says to come back when every push server is full, or none is there", async () => {
    await refused(open(), ErrorReason.STORE_UNAVAILABLE);
    const registration = registry.register(offer("a"));
    loads = { a: 10 };
    const error = await refused(open(), ErrorReason.OVERLOADED);
    assert.equal(error.metadata.queue, "sessions");
    assert.ok(error.retryAfterMs > 0);
    registration.revoke();
    await refused(open(), ErrorReason.STORE_UNAVAILABLE);
  });

  it("turns away a device that was signed out, and one too many", async () => {
    registry.register(offer("a"));
    state = "revoked";
    await refused(open(), ErrorReason.DEVICE_REVOKED);
    state = "full";
    assert.equal((await refused(open(), ErrorReason.OVERLOADED)).metadata.queue, "devices");
    assert.deepEqual(signed, []);
    live = []; // Then the longest unused device makes room.
    await open();
    assert.equal(signed.length, 1);
  });

  it("opens so many sessions a minute for one source address", async () => {
    registry.register(offer("a"));
    gateway = new GatewayService({ ...ports(), addresses: new AddressLimit(new FakeClock(), 2) });
    await open();
    await open("tablet", "bob");
    assert.equal((await refused(open(), ErrorReason.OVERLOADED)).metadata.queue, "address");
  });

  it("renews a ticket for the same session, device and push server, though it keeps nothing", async () => {
    registry.register(offer("a"));
    registry.register(offer("b"));
    const sessionId = newSessionId("b", "ann", "tablet");
    assert.deepEqual(await renew(sessionId), { ticket: "ticket-1", expiresAtMs: 5n });
    const { userTokenExpiresAtMs } = callerNamed("ann");
    const grant = { userId: "ann", deviceId: "tablet", sessionId, pushServer: "b", userTokenExpiresAtMs };
    assert.deepEqual(signed, [grant]);
  });

  it("renews no ticket for a session elsewhere, of another's or a revoked device, or of nowhere", async () => {
    registry.register(offer("a"));
    const none = fromHex("00112233445566778899aabbccddeeff");
    const wrong = [newSessionId("gone", "ann", "phone"), newSessionId("a", "ann", "phone-2"), none];
    for (const sessionId of wrong) await refused(renew(sessionId), ErrorReason.NO_SESSION);
    devices.ann = ["tablet"];
    await refused(renew(newSessionId("a", "ann", "phone")), ErrorReason.NO_SESSION);
  });

  it("sees in the registry who serves, with the load of the moment", () => {
    const registration = registry.register(offer("a"));
    loads = { a: 3 };
    assert.equal(registry.pushServers()[0]?.load, 3);
    assert.throws(() => registry.register(offer("a")), /registered already/);
    registration.revoke();
    registration.revoke();
    assert.deepEqual(registry.pushServers(), []);
  });
});

async function refused(call: Promise<unknown>, reason: ErrorReason): Promise<HeddleError> {
  const error = await call.then(
    () => assert.fail("it went well"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HeddleError, String(error));
  assert.equal(ErrorReason[error.reason], ErrorReason[reason]);
  return error;
}
