import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { Code, overloaded } from "../base/heddle-error.ts";
import {
  GatewayService,
  OpenSessionRequestSchema,
  OpenSessionResponseSchema,
} from "../gen/heddle/gateway/v1/gateway_service_pb.js";
import {
  type CallBytes,
  connectBytes,
  type Failure,
  grpcBytes,
  grpcWebBytes,
} from "../testing/contract/raw-calls.ts";
import { callerNamed, type RpcListeners, startRpcListeners } from "../testing/fakes/streams/rpc-listeners.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { bind } from "./calls/handlers.ts";
import { bearerToken } from "./credentials/bearer.ts";

const PATH = `/${GatewayService.typeName}/OpenSession`;

/** The handler that the device_id of the request chooses. */
async function misbehave(deviceId: string, signal: AbortSignal): Promise<{ ticket: string }> {
  switch (deviceId) {
    case "fault":
      throw new Error("the secret plan eyJhbGciOiJFUzI1NiJ9.eyJzdWIi.c2ln");
    case "full":
      throw overloaded("devices", 2_500);
    case "slow":
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    default:
      return { ticket: deviceId };
  }
}

describe("Errors", () => {
  let listeners: RpcListeners;
  let transports: Record<string, CallBytes>;
  let grpc: Client;

  before(async () => {
    const authenticate = async (authorization: string | undefined) => {
      bearerToken(authorization);
      return callerNamed("ann");
    };
    const gateway = bind(GatewayService, authenticate, {
      openSession: ({ deviceId }, { signal }) => misbehave(deviceId, signal),
      renewTicket: async () => ({}),
    });
    listeners = await startRpcListeners([gateway]);
    grpc = new Client(listeners.grpc, credentials.createInsecure());
    transports = {
      "on gRPC": grpcBytes(grpc, PATH),
      "on Connect": connectBytes(listeners.web, PATH),
      "on gRPC-Web": grpcWebBytes(listeners.web, PATH),
    };
  });
  after(async () => {
    grpc.close();
    await listeners.close();
  });

  const request = (deviceId: string) =>
    toBinary(OpenSessionRequestSchema, create(OpenSessionRequestSchema, { deviceId }));

  for (const name of ["on gRPC", "on Connect", "on gRPC-Web"]) {
    describe(name, () => {
      const call: CallBytes = (bytes, options) => (transports[name] as CallBytes)(bytes, options);
      const fail = async (bytes: Uint8Array, options?: Parameters<CallBytes>[1]): Promise<Failure> => {
        const result = await call(bytes, options);
        assert.ok(!(result instanceof Uint8Array), "the call went well");
        return result;
      };

      it("do not come from a good call", async () => {
        const answer = await call(request("phone"));
        assert.ok(answer instanceof Uint8Array, JSON.stringify(answer));
        assert.equal(fromBinary(OpenSessionResponseSchema, answer).ticket, "phone");
      });

      it("name the field and the rule that a request breaks, and not its value", async () => {
        const failure = await fail(request("PH ONE"));
        assert.equal(failure.code, Code.INVALID_ARGUMENT);
        assert.equal(failure.reason, "INVALID_FIELD");
        assert.deepEqual(failure.metadata, { field: "device_id", rule: "string.pattern" });
        assert.doesNotMatch(failure.message, /PH ONE/);
      });

      it("refuse bytes that are no message, and strings that are no UTF-8", async () => {
        const cut = Uint8Array.of(0x0a, 0x7f, 0x61);
        const broken = Uint8Array.of(0x0a, 0x03, 0x61, 0xff, 0x61);
        for (const bytes of [cut, broken]) {
          const failure = await fail(bytes);
          assert.equal(failure.code, Code.INVALID_ARGUMENT);
          assert.equal(failure.reason, "MALFORMED");
        }
      });

      it("refuse what is above 128 KiB, by a byte or by a lot", async () => {
        for (const length of [131_073, 3_000_000]) {
          const failure = await fail(new Uint8Array(length).fill(0x0a));
          assert.equal(failure.code, Code.RESOURCE_EXHAUSTED);
          assert.equal(failure.reason, "FRAME_TOO_LARGE");
          assert.deepEqual(failure.metadata, { limit_bytes: "131072" });
        }
      });

      it("let a message of exactly 128 KiB through to the rules", async () => {
        const head = Uint8Array.of(0x0a, 0xfc, 0xff, 0x07); // device_id, 131,068 bytes.
        const bytes = new Uint8Array(131_072).fill(0x61);
        bytes.set(head);
        assert.equal((await fail(bytes)).reason, "INVALID_FIELD");
      });

      it("ask for a token before they look at the request", async () => {
        const failure = await fail(Uint8Array.of(0xff), { token: "" });
        assert.equal(failure.code, Code.UNAUTHENTICATED);
        assert.equal(failure.reason, "TOKEN_MISSING");
      });

      it("say when to try again", async () => {
        const failure = await fail(request("full"));
        assert.equal(failure.code, Code.RESOURCE_EXHAUSTED);
        assert.equal(failure.reason, "OVERLOADED");
        assert.equal(failure.retryMs, 2_500);
      });

      it("end a call at the client's deadline", async () => {
        const failure = await fail(request("slow"), { timeoutMs: 150 });
        assert.equal(failure.code, Code.DEADLINE_EXCEEDED);
        if (name !== "on gRPC") assert.equal(failure.reason, "DEADLINE"); // grpc-js's client makes its own status.
      });

      it("hide what was unexpected behind a request id, which is in the log, once", async () => {
        const before = listeners.logged.length;
        const failure = await fail(request("fault"));
        assert.equal(failure.code, Code.INTERNAL);
        assert.equal(failure.reason, "FAULT");
        assert.doesNotMatch(failure.message, /secret plan/);
        const id = failure.metadata.request_id ?? "";
        assert.match(id, /^[0-9a-f]{16}$/);
        const lines = listeners.logged.slice(before).filter((line) => line.includes(id));
        assert.equal(lines.length, 1);
        assert.match(lines[0] ?? "", /secret plan \[redacted\]/);
      });
    });
  }

  it("abort the signal of a call whose client goes, and not of one that was answered before it ended", async () => {
    const signals: AbortSignal[] = [];
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<AbortSignal>();
    const gateway = bind(GatewayService, async () => callerNamed("ann"), {
      openSession: async ({ deviceId }, { signal }) => {
        signals.push(signal);
        if (deviceId === "slow") arrive(signal);
        return await misbehave(deviceId, signal);
      },
      renewTicket: async () => ({}),
    });
    const own = await startRpcListeners([gateway]);
    const client = new Client(own.grpc, credentials.createInsecure());
    try {
      await grpcBytes(client, PATH)(request("phone"));
      const same = (bytes: Buffer) => bytes;
      const call = client.makeUnaryRequest(PATH, same, same, Buffer.from(request("slow")), () => {});
      const signal = await arrived;
      const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      call.cancel();
      await aborted;
      assert.deepEqual(
        signals.map((one) => one.aborted),
        [false, true],
      );
    } finally {
      client.close();
      await own.close();
    }
  });

  it("end a call after 10 s where the client sets no deadline", async () => {
    const clock = new FakeClock();
    let arrived = () => {};
    const handling = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const never = bind(GatewayService, async () => callerNamed("ann"), {
      openSession: async (_, { signal }) => {
        arrived();
        return await new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(new Error())),
        );
      },
      renewTicket: async () => ({}),
    });
    const patient = await startRpcListeners([never], { clock });
    const client = new Client(patient.grpc, credentials.createInsecure());
    let answered = false;
    const answer = grpcBytes(
      client,
      PATH,
    )(request("phone")).finally(() => {
      answered = true;
    });
    await handling;
    clock.advance(9_999);
    await new Promise(setImmediate);
    assert.ok(!answered);
    clock.advance(1);
    const failure = await answer;
    client.close();
    await patient.close();
    assert.ok(!(failure instanceof Uint8Array));
    assert.equal(failure.reason, "DEADLINE");
    assert.deepEqual(failure.metadata, { limit_ms: "10000" });
  });

  it("end a call whose request never comes after 10 s", async () => {
    const clock = new FakeClock();
    const silent = bind(GatewayService, async () => callerNamed("ann"), {
      openSession: async () => assert.fail("there was a request"),
      renewTicket: async () => ({}),
    });
    const patient = await startRpcListeners([silent], { clock });
    const session = connect(`http://${patient.grpc}`);
    const call = session.request({
      ":method": "POST",
      ":path": PATH,
      "content-type": "application/grpc",
      te: "trailers",
    });
    call.on("error", () => {});
    while (clock.waiting === 0) await new Promise(setImmediate);
    clock.advance(10_000);
    const [headers] = await once(call, "response");
    session.destroy();
    await patient.close();
    assert.equal(headers["grpc-status"], String(Code.DEADLINE_EXCEEDED));
    assert.match(Buffer.from(headers["grpc-status-details-bin"], "base64").toString(), /DEADLINE/);
    assert.equal(clock.waiting, 0);
  });

  it("of a message that cannot be unpacked are the client's", async () => {
    const session = connect(`http://${listeners.grpc}`);
    const call = session.request({
      ":method": "POST",
      ":path": PATH,
      "content-type": "application/grpc",
      "grpc-encoding": "gzip",
      te: "trailers",
    });
    call.on("error", () => {});
    call.end(Buffer.from([1, 0, 0, 0, 3, 1, 2, 3]));
    const [headers] = await once(call, "response");
    session.destroy();
    assert.match(Buffer.from(headers["grpc-status-details-bin"], "base64").toString(), /MALFORMED/);
  });
});
