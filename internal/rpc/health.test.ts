import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { GatewayService } from "../gen/heddle/gateway/v1/gateway_service_pb.js";
import { callerNamed, type RpcListeners, startRpcListeners } from "../testing/fakes/streams/rpc-listeners.ts";
import { grpcurl } from "../testing/trials/programs/tools.ts";
import { bind } from "./calls/handlers.ts";
import { Health } from "./health.ts";

const run = promisify(execFile);

describe("Health and reflection, to a client from outside", function () {
  this.timeout("5m"); // grpcurl is built the first time.
  let tool: string;
  let health: Health;
  let listeners: RpcListeners;

  before(async () => {
    tool = await grpcurl();
    health = new Health([GatewayService.typeName]);
    const gateway = bind(GatewayService, async () => callerNamed("ann"), {
      openSession: async ({ deviceId }) => ({ ticket: deviceId }),
      renewTicket: async () => ({}),
    });
    listeners = await startRpcListeners([gateway, health.binding]);
  });
  after(() => listeners.close());

  const ask = async (...args: string[]) => {
    const { stdout } = await run(tool, ["-plaintext", ...args]);
    return stdout;
  };
  const check = (service: string) =>
    ask("-d", JSON.stringify({ service }), listeners.grpc, "grpc.health.v1.Health/Check");

  it("list the services and describe a method, its documentation's types included", async () => {
    assert.deepEqual((await ask(listeners.grpc, "list")).trim().split("\n"), [
      "grpc.health.v1.Health",
      "heddle.gateway.v1.GatewayService",
    ]);
    const text = await ask(listeners.grpc, "describe", "heddle.gateway.v1.OpenSessionRequest");
    assert.match(text, /string device_id = 1/);
  });

  it("let a call be made without a schema", async () => {
    const answer = await ask(
      "-d",
      '{"device_id":"phone"}',
      listeners.grpc,
      `${GatewayService.typeName}/OpenSession`,
    );
    assert.deepEqual(JSON.parse(answer), { ticket: "phone" });
  });

  it("explain an error, though no service names its details", async () => {
    const call = ask(
      "-d",
      '{"device_id":"PH ONE"}',
      listeners.grpc,
      `${GatewayService.typeName}/OpenSession`,
    );
    await assert.rejects(call, (error: { stderr: string }) => /"reason": "INVALID_FIELD"/.test(error.stderr));
  });

  it("say whether the program and each service serve", async () => {
    health.set(true);
    assert.match(await check(""), /"SERVING"/);
    assert.match(await check(GatewayService.typeName), /"SERVING"/);
    health.set(false);
    assert.match(await check(""), /"NOT_SERVING"/);
    await assert.rejects(check("no.such.Service"), (error: { stderr: string }) =>
      /NotFound/.test(error.stderr),
    );
  });

  it("tell a watcher of each change, and let it go at the end", async () => {
    health.set(true);
    const args = ["-plaintext", "-d", "{}", listeners.grpc, "grpc.health.v1.Health/Watch"];
    const watcher: ChildProcess = spawn(tool, args, { stdio: ["ignore", "pipe", "ignore"] });
    const statuses: string[] = [];
    const lines = createInterface({ input: watcher.stdout as NodeJS.ReadableStream });
    for await (const line of lines) {
      const status = /"status": "(\w+)"/.exec(line)?.[1];
      if (!status) continue;
      statuses.push(status);
      if (statuses.length === 1) health.set(false);
      else health.endWatches();
    }
    if (watcher.exitCode === null) await once(watcher, "exit");
    assert.deepEqual(statuses, ["SERVING", "NOT_SERVING"]);
    assert.equal(watcher.exitCode, 0);
  });
});
