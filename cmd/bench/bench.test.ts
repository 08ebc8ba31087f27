import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { BenchRecord } from "./figures/record.ts";
import { CACHE, PAGE } from "./folders.ts";
import { SCENARIOS } from "./scenarios.ts";

const FIELDS = [
  "bench",
  "unit",
  "value",
  "p50_ms",
  "p99_ms",
  "server_cpu_us_per_delivery",
  "rss_kb_per_stream",
  "params",
  "machine",
  "commit",
];

async function bench(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code] = (await once(child, "exit")) as [number | null];
  return { code, stdout: await stdout, stderr: await stderr };
}

/** Whether it works. No figure is judged: this machine does other things meanwhile. */
describe("make bench", function () {
  this.timeout("120s");

  for (const { name } of SCENARIOS) {
    it(`measures ${name}, on a small scale, and leaves no figures behind`, async () => {
      const pageBefore = await readFile(PAGE, "utf8").catch(() => "");
      const { code, stdout, stderr } = await bench("--quick", "--json", "--only", name);
      assert.equal(code, 0, stderr);
      const records = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as BenchRecord);
      for (const record of records) {
        assert.deepEqual(Object.keys(record), FIELDS);
        assert.equal(record.bench.split(".")[0], name);
        assert.ok(record.value >= 0 && record.machine && record.commit && record.params.at, stdout);
      }
      assert.ok((records[0]?.value ?? 0) > 0, stdout);
      assert.match(stderr, new RegExp(`^${name} \\+\\d+ s: done$`, "m"));
      assert.equal(await readFile(PAGE, "utf8").catch(() => ""), pageBefore);
    });
  }

  it("profiles the server in the measured window", async () => {
    const { code, stdout, stderr } = await bench("--quick", "--profile", "--only", "direct");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^direct +[\d,]+ messages\/s/m);
    assert.match(stderr, /by layer:\n(.*\n)*.*heddle message/);
    assert.match(stderr, /internal\/message\/[a-z/-]+\.ts:\d+/); // Which of its files is a matter of chance.
  });

  it("ends servers, loads and scratch folders at Ctrl-C", async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "--only", "direct"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const exit = once(child, "exit");
    const said: string[] = [];
    const lines = createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
    await once(lines, "line"); // The clients are connected.
    const own = (names: string[]) => names.filter((name) => name.startsWith(`run-${child.pid}-`));
    assert.equal(own(await readdir(CACHE)).length, 1);
    child.kill("SIGINT");
    assert.deepEqual(await exit, [1, null]);
    assert.match(said.join("\n"), /stopped by SIGINT/);
    assert.deepEqual(own(await readdir(CACHE)), []);
  });

  it("exits with 2 for a scenario that there is not", async () => {
    const { code, stderr } = await bench("--only", "nonsense");
    assert.equal(code, 2);
    assert.match(stderr, /^bench: there is no scenario nonsense: choose of floor-sync, /);
  });
});
