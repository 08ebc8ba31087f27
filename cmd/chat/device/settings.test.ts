import assert from "node:assert/strict";
import { readSettings } from "./settings.ts";

describe("The settings of chat", () => {
  it("have defaults for a server on this machine", () => {
    const settings = readSettings("ann", {}, { XDG_STATE_HOME: "/s" });
    assert.equal(settings.grpcUrl, "http://127.0.0.1:8440");
    assert.equal(settings.webUrl, "http://127.0.0.1:8480");
    assert.match(settings.stateFolder, /^\/s\/heddle\/ann\.[0-9a-f]{64}$/);
    assert.equal(settings.waitMs, 10_000);
  });

  it("come from the environment, and options count more", () => {
    const env = { HEDDLE_GRPC_URL: "http://a:1", HEDDLE_WEB_URL: "http://a:2" };
    assert.equal(readSettings("ann", {}, env).webUrl, "http://a:2");
    const settings = readSettings("ann", { grpc: "https://b:3/", state: "/tmp/x", wait: "2.5" }, env);
    assert.deepEqual(
      [settings.grpcUrl, settings.stateFolder, settings.waitMs],
      ["https://b:3", "/tmp/x", 2_500],
    );
  });

  it("are refused, as wrong use, where they make no sense", () => {
    for (const options of [{ grpc: "localhost:8440" }, { web: "" }, { wait: "soon" }, { wait: "-1" }]) {
      assert.throws(() => readSettings("ann", options, {}), { exitCode: 2 });
    }
    for (const name of ["", "a b", "än", "x".repeat(256)])
      assert.throws(() => readSettings(name, {}, {}), { exitCode: 2 });
  });
});
