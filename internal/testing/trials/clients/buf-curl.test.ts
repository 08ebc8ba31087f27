import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fromBinary } from "@bufbuild/protobuf";
import { type Heddle, startHeddle } from "../../../app/all-in-one.ts";
import { developmentConfig } from "../../../app/settings/config.ts";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.js";
import { devTokens, ROOT } from "../programs/heddle-process.ts";

const run = promisify(execFile);

/** A client made elsewhere, which speaks all three protocols. */
describe("buf curl", function () {
  this.timeout("30s");
  let dataDir: string;
  let heddle: Heddle;
  let token: string;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "heddle-buf-curl-"));
    heddle = await startHeddle(developmentConfig(dataDir, { drainMs: 100 }));
    ({ ann: token = "" } = await devTokens(heddle.webUrl, ["ann"]));
  });
  after(async () => {
    await heddle.close();
    await rm(dataDir, { recursive: true });
  });

  const buf = (args: readonly string[], method: string, request: object, url: string) =>
    run(join(ROOT, "node_modules/.bin/buf"), [
      ...["curl", ...args, "--header", `authorization: Bearer ${token}`],
      ...["--data", JSON.stringify(request), `${url}/${method}`],
    ]);
  const schema = ["--schema", join(ROOT, "proto")];
  const protocols = [
    { protocol: "grpc", listener: () => heddle.grpcUrl, args: ["--http2-prior-knowledge"] },
    { protocol: "grpcweb", listener: () => heddle.webUrl, args: [] },
    { protocol: "connect", listener: () => heddle.webUrl, args: [] },
  ];

  protocols.forEach(({ protocol, listener, args }, at) => {
    const options = [...schema, "--protocol", protocol, ...args];

    it(`sends over ${protocol}`, async () => {
      const clientId = randomBytes(16).toString("base64");
      const send = { toUserId: "bob", clientId, attempt: 1, body: { text: { text: `over ${protocol}` } } };
      const method = "heddle.message.v1.MessageService/Send";
      const { stdout } = await buf(options, method, send, listener());
      const answer = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual(
        { seq: answer.seq, clientId: answer.clientId, recipientOffline: answer.recipientOffline },
        { seq: String(at + 1), clientId, recipientOffline: true },
      );
    });

    it(`shows the reason of a refusal over ${protocol}`, async () => {
      const call = buf(options, "heddle.thread.v1.ThreadService/GetThread", { threadId: "" }, listener());
      const { stderr } = await call.then(
        () => assert.fail("it was taken"),
        (error) => error as { stderr: string },
      );
      const { code, details } = JSON.parse(stderr) as {
        code: string;
        details: { type: string; value: string }[];
      };
      const info = details.find(({ type }) => type === "google.rpc.ErrorInfo")?.value ?? assert.fail(stderr);
      const { domain, reason } = fromBinary(ErrorInfoSchema, Buffer.from(info, "base64"));
      assert.deepEqual([code, domain, reason], ["invalid_argument", "heddle", "INVALID_FIELD"]);
    });
  });

  it("finds the schema by reflection", async () => {
    const options = ["--protocol", "grpc", "--http2-prior-knowledge"];
    const list = "heddle.thread.v1.ThreadService/ListThreads";
    const { stdout } = await buf(options, list, {}, heddle.grpcUrl);
    const { threads } = JSON.parse(stdout) as {
      threads: { participants: string[]; head: { seq: string } }[];
    };
    assert.deepEqual(
      threads.map(({ participants, head }) => ({ participants, seq: head.seq })),
      [{ participants: ["ann", "bob"], seq: String(protocols.length) }],
    );
  });
});
