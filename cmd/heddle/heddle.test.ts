import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { decodeJwt } from "jose";
import { GatewayService } from "../../internal/gen/heddle/gateway/v1/gateway_service_pb.js";
import { RawStream } from "../../internal/testing/contract/raw-stream.ts";
import { ROOT } from "../../internal/testing/trials/programs/heddle-process.ts";

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** bin/heddle with exactly these settings. */
class Program {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ended>;

  constructor(args: readonly string[], settings: Readonly<Record<string, string>>) {
    const env = { PATH: process.env.PATH ?? "", ...settings };
    this.child = spawn(join(ROOT, "bin/heddle"), args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.on("data", (chunk) => {
      this.stdout += chunk;
    });
    this.child.stderr?.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.ended = once(this.child, "close").then(([code, signal]) => {
      return { code, signal, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** Resolves when stdout has so many lines. */
  async lines(count: number): Promise<string[]> {
    const over = this.ended.then((ended) => assert.fail(`it ended: ${ended.stderr}`));
    while (this.stdout.split("\n").length <= count) {
      await Promise.race([once(this.child.stdout as NodeJS.ReadableStream, "data"), over]);
    }
    return this.stdout.trimEnd().split("\n");
  }
}

describe("The program heddle", function () {
  this.timeout("20s");
  let folder: string;
  let settings: Record<string, string>;
  const programs: Program[] = [];
  const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const program = new Program(args, { ...settings, ...more });
    programs.push(program);
    return program;
  };
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    start(args, more).ended;
  const startJson = async (more: Readonly<Record<string, string>> = {}) => {
    const program = start(["--json"], more);
    const [line = ""] = await program.lines(1);
    return { program, addresses: JSON.parse(line) as Record<string, string> };
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-cmd-"));
    settings = {
      HEDDLE_DATA_DIR: join(folder, "data"),
      HEDDLE_GRPC_ADDR: "127.0.0.1:0",
      HEDDLE_WEB_ADDR: "127.0.0.1:0",
      HEDDLE_ADMIN_ADDR: "127.0.0.1:0",
    };
  });
  afterEach(async () => {
    for (const { child } of programs)
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await Promise.all(programs.splice(0).map(({ ended }) => ended));
    await rm(folder, { recursive: true });
  });

  it("tells its version, the contract's and the data folder's", async () => {
    const { code, stdout } = await start(["--version"]).ended;
    assert.equal(code, 0);
    assert.match(stdout, /^heddle \d+\.\d+\.\d+, contract v1, data folder \d+, node 26\.\d+\.\d+\n$/);
  });

  it("says of a word that is no command that it is none, and explains its commands", async () => {
    for (const words of [["wat"], ["serve", "wat"]]) {
      const { code, stderr } = await run(words);
      assert.equal(code, 2);
      assert.equal(stderr, 'heddle: there is no command "wat" (heddle --help lists them)\n');
    }
    const { code, stderr } = await run(["token"]);
    assert.equal(code, 2);
    assert.equal(stderr, "heddle: missing required argument 'user'\n(heddle token --help says more)\n");
    assert.match((await run(["--help"])).stdout, /Exit codes: 0 well, .*\n$/);
  });

  it("makes no data folder where a command asks for one that is there", async () => {
    for (const command of ["verify", "repair", "backup"]) {
      const { code, stderr } = await run(["admin", command, ...(command === "backup" ? ["copy"] : [])]);
      assert.equal(code, 2, command);
      assert.equal(stderr, `heddle: ${join(folder, "data")} is not there: set HEDDLE_DATA_DIR\n`);
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it("says that the data folder is not that of the Heddle it asks, where it has another key", async () => {
    const { program, addresses } = await startJson();
    await mkdir(join(folder, "other"));
    const other = { HEDDLE_DATA_DIR: join(folder, "other"), HEDDLE_ADMIN_ADDR: addresses.admin_addr ?? "" };
    const { code, stderr } = await run(["admin", "backup", join(folder, "copy")], other);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^heddle: .*\/other is not the data folder of the Heddle at .*: set HEDDLE_DATA_DIR/,
    );
    program.child.kill("SIGTERM");
  });

  it("is ready within 3 s, says where to go and what to do next in three lines, and ends well on SIGINT", async () => {
    const startedMs = performance.now();
    const program = start([]);
    const lines = await program.lines(3);
    const readyMs = performance.now() - startedMs;
    assert.equal(lines.length, 3);
    assert.match(lines[0] ?? "", /DEVELOPMENT PROFILE: ANYONE IS SIGNED IN BY NAME/);
    assert.match(lines[1] ?? "", /page {2}http:\/\/127\.0\.0\.1:\d+ .*gRPC {2}127\.0\.0\.1:\d+/);
    assert.match(lines[2] ?? "", /bin\/chat as ann/);
    assert.ok(readyMs < 3_000, `${readyMs} ms`);
    program.child.kill("SIGINT");
    const { code, stdout } = await program.ended;
    assert.equal(code, 0);
    assert.equal(stdout.trimEnd().split("\n").length, 3);
  });

  it("prints the chosen addresses in one line of JSON", async () => {
    const { program, addresses } = await startJson();
    assert.equal((await fetch(`${addresses.admin_url}/readyz`)).status, 200);
    assert.equal((await fetch(`${addresses.web_url}/.well-known/jwks.json`)).status, 200);
    assert.equal(new URL(addresses.grpc_url ?? "").host, addresses.grpc_addr);
    program.child.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
  });

  it("drains on the first signal and ends at once on the second", async () => {
    const { program, addresses } = await startJson({ HEDDLE_DRAIN_MS: "60000" });
    const token = (await run(["token", "ann"])).stdout.trim();
    const stream = await openStream(addresses, token);
    program.child.kill("SIGINT");
    await stream.next("draining");
    program.child.kill("SIGINT");
    const { code, signal } = await program.ended;
    assert.deepEqual({ code, signal }, { code: 130, signal: null });
    await stream.ended();
  });

  it("prints a token for anyone while it runs, which it then takes", async () => {
    const { addresses } = await startJson();
    const { stdout, code } = await run(["token", "bob", "--ttl", "30"]);
    assert.equal(code, 0);
    const { sub, iss, aud, exp = 0, iat = 0 } = decodeJwt(stdout.trim());
    assert.deepEqual(
      { sub, iss, aud, ttl: exp - iat },
      { sub: "bob", iss: "heddle-dev", aud: "heddle", ttl: 30 },
    );
    const stream = await openStream(addresses, stdout.trim());
    stream.close();
  });

  it("makes tokens before the first start too, and those are taken then", async () => {
    const token = (await run(["token", "ann"])).stdout.trim();
    const { addresses } = await startJson();
    (await openStream(addresses, token)).close();
  });

  it("says whether another one serves", async () => {
    const { addresses } = await startJson();
    const there = { HEDDLE_ADMIN_ADDR: addresses.admin_addr ?? "" };
    const up = await run(["admin", "status"], there);
    assert.deepEqual({ code: up.code, stdout: up.stdout }, { code: 0, stdout: "ready\n" });
    const down = await run(["admin", "status"], { HEDDLE_ADMIN_ADDR: "127.0.0.1:9" });
    assert.equal(down.code, 3);
    assert.match(down.stderr, /^heddle: nothing answers at .*\n$/);
  });

  it("verifies a data folder that nothing uses, says what is damaged, and refuses one in use", async () => {
    assert.equal((await run(["admin", "verify"])).code, 2, "there is none");
    const { program } = await startJson();
    const inUse = await run(["admin", "verify"]);
    assert.equal(inUse.code, 1);
    assert.match(inUse.stderr, /^heddle: .*in use by another process.*\n$/);
    program.child.kill("SIGINT");
    await program.ended;
    const well = await run(["admin", "verify", "--json"]);
    assert.equal(well.code, 0, well.stdout);
    assert.deepEqual(JSON.parse(well.stdout).problems, []);
    const data = settings.HEDDLE_DATA_DIR ?? "";
    const empty = await run(["admin", "verify"], { HEDDLE_DATA_DIR: await mkdtemp(join(folder, "empty-")) });
    assert.deepEqual([empty.code, empty.stdout.match(/^PROBLEM/gm)?.length], [1, 1], empty.stdout);
    await cp(join(data, "threads.sqlite"), join(folder, "half/threads.sqlite"));
    const half = await run(["admin", "verify"], { HEDDLE_DATA_DIR: join(folder, "half") });
    assert.equal(half.code, 1);
    assert.match(half.stdout, /^PROBLEM {2}messages: it is missing/m);
    await rm(join(data, "messages/CURRENT"));
    const damaged = await run(["admin", "verify"]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, /^PROBLEM {2}messages\/CURRENT: it is missing/m);
  });

  it("prints its settings, and checks them without starting", async () => {
    const printed = await run(["config", "print"], { HEDDLE_DRAIN_MS: "7" });
    assert.equal(printed.code, 0);
    assert.match(printed.stdout, /^# .+ms\nHEDDLE_DRAIN_MS=7$/m);
    const good = await run(["--check-config"]);
    assert.equal(good.code, 0);
    assert.match(good.stdout, /^the settings are good.*no connection was tried.*\n$/);
    const bad = await run(["--check-config"], { HEDDLE_DRAIN_MS: "x" });
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /^heddle: HEDDLE_DRAIN_MS: .*\n$/);
  });

  it("leaves the care of a database to Postgres's own tools", async () => {
    const set = { HEDDLE_DATABASE_URL: "postgres://ann:s3cret@127.0.0.1:1/heddle" };
    for (const command of ["verify", "repair"]) {
      const { code, stdout, stderr } = await run(["admin", command], set);
      assert.deepEqual([code, stdout], [1, ""]);
      const start = `heddle: heddle admin ${command} is for embedded stores, and HEDDLE_DATABASE_URL is set: `;
      assert.ok(stderr.startsWith(start) && stderr.includes("docs/postgres.md"), stderr);
    }
  });

  const wrongUse: [string, string[], Record<string, string>, RegExp][] = [
    ["an unknown setting", [], { HEDDLE_GRPC_ADR: "x" }, /did you mean HEDDLE_GRPC_ADDR\?/],
    ["development for other machines", [], { HEDDLE_WEB_ADDR: "0.0.0.0:0" }, /this machine only/],
    [
      "production with a setting of development",
      [],
      { HEDDLE_PROFILE: "production", HEDDLE_DEV_TOKEN_TTL_S: "1" },
      /HEDDLE_DEV_TOKEN_TTL_S/,
    ],
    ["an unknown command", ["nonsense"], {}, /--help/],
    ["an unknown option", ["--nonsense"], {}, /--help/],
    ["a token for no user", ["token", "Ann Smith"], {}, /a user is/],
    [
      "a token in production",
      ["token", "ann"],
      { HEDDLE_PROFILE: "production", HEDDLE_AUTH_ISSUER: "x", HEDDLE_AUTH_JWKS_URL: "https://x" },
      /development profile/,
    ],
  ];
  for (const [name, args, more, says] of wrongUse) {
    it(`exits with 2 for ${name}`, async () => {
      const { code, stderr, stdout } = await run(args, more);
      assert.equal(code, 2, stderr);
      assert.match(stderr, says);
      assert.equal(stdout, "");
    });
  }

  it("exits with 1 and one line for a taken port and for a data folder in use or out of reach", async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
    const { port } = squatter.address() as { port: number };
    const taken = await run([], { HEDDLE_GRPC_ADDR: `127.0.0.1:${port}` });
    squatter.close();
    await startJson();
    const inUse = await run([]);
    const noFolder = await run([], { HEDDLE_DATA_DIR: "/dev/null/data" });
    for (const { code, stderr } of [taken, inUse, noFolder]) {
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^heddle: .*HEDDLE_(GRPC_ADDR|DATA_DIR).*\n$/);
    }
  });
});

/** Opens a session and its stream. */
async function openStream(addresses: Record<string, string>, token: string): Promise<RawStream> {
  const transport = createConnectTransport({ baseUrl: addresses.web_url ?? "", httpVersion: "1.1" });
  const gateway = createClient(GatewayService, transport);
  const headers = { authorization: `Bearer ${token}` };
  const { ticket } = await gateway.openSession({ deviceId: "phone" }, { headers });
  const stream = new RawStream(addresses.grpc_url ?? "", ticket);
  stream.open("phone");
  await stream.next("caughtUp");
  return stream;
}
