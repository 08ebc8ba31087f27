import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A program that closes all but a timer. */
const LEAKS = `
import { createLog } from "${import.meta.dirname}/../base/log.ts";
import { runService } from "${import.meta.dirname}/run-service.ts";
const log = createLog({ level: "info" });
const running = { over: new Promise(() => {}), close: async () => {} };
process.exitCode = await runService({
  name: "leaks",
  start: async () => ({ running, log }),
  onReady: () => {
    setInterval(() => {}, 1 << 30);
    console.log("ready");
  },
});
`;

describe("runService", () => {
  it("ends a program that something holds after all was closed, and names what", async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", LEAKS]);
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    await once(createInterface(child.stdout), "line");
    child.kill("SIGTERM");
    const [code] = await once(child, "close");
    assert.equal(code, 0);
    assert.match(said, /"held":\[.*"Timeout".*held the program/);
  });
});
