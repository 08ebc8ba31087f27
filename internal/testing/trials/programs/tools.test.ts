import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { python } from "../../../../cmd/stubs/python.ts";
import { chromium, grpcurl, pythonStubs } from "./tools.ts";

const run = promisify(execFile);

describe("The tools of the tests", function () {
  // A cold cache: Go compiles grpcurl in 1 to 4 minutes.
  this.timeout("8m");

  it("have a grpcurl that runs", async () => {
    await run(await grpcurl(), ["--version"]);
  });

  it("have Python stubs that import", async () => {
    const script = "import grpc; from buf.validate import validate_pb2; from google.rpc import status_pb2";
    await run(await python(), ["-c", script], {
      env: { ...process.env, PYTHONPATH: await pythonStubs() },
    });
  });

  it("have a browser", async () => {
    assert.ok(existsSync(await chromium()));
  });
});
