import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DescMethodUnary, DescService } from "@bufbuild/protobuf";
import { importJWK, SignJWT } from "jose";
import { Code } from "../../base/heddle-error.ts";
import { GatewayService } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MessageService } from "../../gen/heddle/message/v1/message_service_pb.js";
import { PresenceService } from "../../gen/heddle/presence/v1/presence_service_pb.js";
import { ProfileService } from "../../gen/heddle/profile/v1/profile_service_pb.js";
import { PushService } from "../../gen/heddle/push/v1/push_service_pb.js";
import { ThreadService } from "../../gen/heddle/thread/v1/thread_service_pb.js";
import { IdentityProvider } from "../fakes/neighbours/identity-provider.ts";
import { HeddleProcess } from "../trials/programs/heddle-process.ts";
import { goodSend } from "./bad-input-target.ts";
import { RawStream } from "./raw-stream.ts";
import { ODD_VALUES, oddBodies } from "./wrong-types.ts";

/** What an odd input may be answered: the client is told what is wrong, or it was not wrong after all. */
const CLEAR: readonly (keyof typeof Code)[] = [
  "OK",
  "INVALID_ARGUMENT",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "FAILED_PRECONDITION",
  "RESOURCE_EXHAUSTED",
];

interface Answer {
  readonly code: string;
  readonly hasInfo: boolean;
  readonly json: Record<string, unknown>;
}

/** Values of every type, wherever a client or an identity provider says something: no input ends the process. */
describe("Wrong types", function () {
  this.timeout(120_000);
  let provider: IdentityProvider;
  let dataDir: string;
  let heddle: HeddleProcess;

  before(async () => {
    provider = await IdentityProvider.start();
    dataDir = await mkdtemp(join(tmpdir(), "heddle-wrong-types-"));
    heddle = await HeddleProcess.start(dataDir, { env: provider.env });
  });
  after(async () => {
    await heddle.stop();
    await provider.close();
    await rm(dataDir, { recursive: true });
  });

  async function call(path: string, json: unknown, token: string): Promise<Answer> {
    const response = await fetch(`${heddle.addresses.webUrl}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: json === undefined ? "" : JSON.stringify(json),
    });
    const told = (await response.json()) as Record<string, unknown>;
    const details = (told.details ?? []) as { type: string }[];
    return {
      code: response.ok ? "OK" : String(told.code).toUpperCase(),
      hasInfo: details.some(({ type }) => type === "google.rpc.ErrorInfo"),
      json: told,
    };
  }

  /** A refusal must be one of ours: with a code that says whose fault it is, and an ErrorInfo. */
  function assertClear(answer: Answer, what: string): void {
    assert.ok(CLEAR.includes(answer.code as keyof typeof Code), `${what}: ${JSON.stringify(answer)}`);
    assert.ok(answer.code === "OK" || answer.hasInfo, `${what}: without ErrorInfo`);
  }

  /** The call that meets a token first. */
  const openSession = (token: string) =>
    call("heddle.gateway.v1.GatewayService/OpenSession", { deviceId: "phone" }, token);

  /** What a stream says to a ticket: how it ends, or what its first send comes to. */
  async function streamed(ticket: string): Promise<string> {
    const stream = new RawStream(heddle.addresses.grpcUrl, ticket);
    stream.open("phone");
    stream.say({ case: "send", value: goodSend() as never });
    const ended = stream.ended().then((error) => (error ? Code[error.code] : "OK"));
    const answered = ["accepted", "refused"] as const;
    const first = await Promise.race([
      ended,
      ...answered.map((kind) =>
        stream.next(kind).then(
          () => "OK" as const,
          () => ended,
        ),
      ),
    ]);
    stream.close();
    return first;
  }

  for (const claim of ["sub", "iss", "aud", "exp", "nbf", "iat", "jti", "name", "picture", "email"]) {
    it(`in the claim ${claim} of a user token`, async () => {
      for (const [name, value] of ODD_VALUES) {
        const what = `${claim}: ${name}`;
        const token = await provider.sign("ann", { claims: { [claim]: value } });
        const opened = await openSession(token);
        assertClear(opened, what);
        const sent = { toUserId: "bob", clientId: Buffer.alloc(16, 7).toString("base64"), attempt: 1 };
        const body = { ...sent, body: { text: { text: "hi" } } };
        assertClear(await call("heddle.message.v1.MessageService/Send", body, token), what);
        if (opened.code === "OK") {
          assert.ok(CLEAR.includes((await streamed(String(opened.json.ticket))) as keyof typeof Code), what);
        }
      }
    });
  }

  it("in the header of a user token", async () => {
    for (const field of ["alg", "kid", "typ", "crit", "jwk", "b64"]) {
      for (const [name, value] of ODD_VALUES) {
        const [, claims, signature] = (await provider.sign("ann")).split(".");
        const header = { alg: "ES256", kid: "ES256-1", [field]: value };
        const part = Buffer.from(JSON.stringify(header)).toString("base64url");
        const answer = await openSession(`${part}.${claims}.${signature}`);
        // A key id that is not known may be a new one until the provider may be asked again.
        const isOpen = field === "kid" && answer.code === "UNAVAILABLE" && answer.hasInfo;
        if (!isOpen) assertClear(answer, `${field}: ${name}`);
      }
    }
  });

  it("instead of the claims of a user token", async () => {
    const [header, , signature] = (await provider.sign("ann")).split(".");
    for (const [name, value] of ODD_VALUES) {
      const part = Buffer.from(JSON.stringify(value) ?? "").toString("base64url");
      assertClear(await openSession(`${header}.${part || "e"}.${signature}`), name);
    }
  });

  it("in a ticket, though its key is the right one", async () => {
    const jwk = JSON.parse(await readFile(join(dataDir, "keys/ticket.json"), "utf8"));
    const response = await fetch(`${heddle.addresses.webUrl}/.well-known/jwks.json`);
    const { keys } = (await response.json()) as { keys: { kid: string }[] };
    const nowS = Math.floor(Date.now() / 1000);
    const good = {
      iss: "heddle-gateway",
      aud: "heddle-push",
      sub: "ann",
      exp: nowS + 600,
      iat: nowS,
      session_id: "00112233445566778899aabbccddeeff",
      device_id: "phone",
      push: "push",
      open_by: nowS + 60,
      utx: nowS + 3600,
    };
    const sign = async (claims: object, typ: unknown = "heddle-ticket+jwt") =>
      await new SignJWT(claims as never)
        .setProtectedHeader({ alg: "ES256", kid: keys[0]?.kid ?? "", typ: typ as never })
        .sign(await importJWK(jwk, "ES256"));
    assert.equal(await streamed(await sign(good)), "OK");
    for (const claim of Object.keys(good)) {
      for (const [name, value] of ODD_VALUES) {
        const ticket = await sign({ ...good, [claim]: value });
        const what = `${claim}: ${name}`;
        const ended = await streamed(ticket);
        assert.ok(CLEAR.includes(ended as keyof typeof Code), `${what}: ${ended}`);
        assertClear(
          await call("heddle.push.v1.PushService/Submit", { frames: [{ ping: {} }] }, ticket),
          what,
        );
      }
    }
    for (const [name, value] of ODD_VALUES) {
      const ended = await streamed(await sign(good, value));
      assert.ok(CLEAR.includes(ended as keyof typeof Code), `typ: ${name}: ${ended}`);
    }
  });

  const services: DescService[] = [
    GatewayService,
    MessageService,
    ThreadService,
    PresenceService,
    ProfileService,
  ];
  for (const service of services) {
    for (const method of service.methods) {
      it(`in the JSON of ${service.typeName}/${method.name}`, async () => {
        const token = await provider.sign("ann");
        for (const { name, json } of oddBodies(method as DescMethodUnary)) {
          assertClear(await call(`${service.typeName}/${method.name}`, json, token), name);
        }
      });
    }
  }

  it("in the JSON of heddle.push.v1.PushService/Submit", async () => {
    const opened = await openSession(await provider.sign("ann"));
    for (const { name, json } of oddBodies(PushService.method.submit)) {
      assertClear(await call("heddle.push.v1.PushService/Submit", json, String(opened.json.ticket)), name);
    }
  });

  it("in the JSON of /dev/tokens", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-wrong-types-dev-"));
    const development = await HeddleProcess.start(folder);
    const post = async (body: unknown) => {
      const url = `${development.addresses.webUrl}/dev/tokens`;
      const response = await fetch(url, { method: "POST", body: JSON.stringify(body) ?? "" });
      const json = (await response.json()) as Record<string, unknown>;
      assert.ok(response.status === 400 ? json.error : response.status === 200, JSON.stringify(body));
    };
    for (const [, value] of ODD_VALUES) {
      for (const body of [value, { users: value }, { users: [value] }, { users: ["ann"], ttl_s: value }]) {
        await post(body);
      }
    }
    assert.equal(await development.stop(), 0);
    await rm(folder, { recursive: true });
  });

  it("leave the program serving, without a fault in its log", async () => {
    const { code } = await call("heddle.thread.v1.ThreadService/ListThreads", {}, await provider.sign("ann"));
    assert.equal(code, "OK");
    const faults = heddle.stderr.filter((line) => /"level":"(error|fatal)"/.test(line));
    assert.deepEqual(faults, []);
  });
});
