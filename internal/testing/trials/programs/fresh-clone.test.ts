import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./heddle-process.ts";
import { outsideEnv } from "./tools.ts";

const run = promisify(execFile);

const env = outsideEnv();

describe("The README, followed word for word in a fresh clone", function () {
  this.timeout(300_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-clone-"));
    await run("git", ["clone", "--quiet", ROOT, folder]);
  });
  after(() => rm(folder, { recursive: true }));

  it("names its two commands first", async () => {
    const readme = await readFile(join(folder, "README.md"), "utf8");
    const commands = [...readme.matchAll(/^```\n(.+)\n```$/gm)].map(([, command]) => command);
    assert.deepEqual(commands.slice(0, 2), ["make run", "make test"]);
  });

  it("make run installs, says in three lines where to go, serves the page, and stops at Ctrl-C without an error", async () => {
    const ports = {
      HEDDLE_GRPC_ADDR: "127.0.0.1:0",
      HEDDLE_WEB_ADDR: "127.0.0.1:0",
      HEDDLE_ADMIN_ADDR: "127.0.0.1:0",
    };
    // A group of its own, because Ctrl-C reaches make, its shell and Heddle together.
    const child = spawn("make", ["run"], { cwd: folder, env: { ...env, ...ports }, detached: true });
    const said = new Output(child);
    const [url] = await said.until(/http:\/\/\S+(?= {3}gRPC)/);
    assert.match(said.text, /^installing packages/m);
    const lines = said.text.split("\n").filter((line) => /^(Heddle is ready| {2}(page|next) )/.test(line));
    assert.equal(lines.length, 3, said.text);
    const page = await fetch(url);
    assert.match(await page.text(), /<title>Heddle<\/title>/);
    assert.equal(await stop(child), 0, said.text);
    assert.doesNotMatch(said.text, /\*\*\*|Error/);
  });

  it("make test runs there", async () => {
    const { stdout } = await run("make", ["test", 'ARGS=-g "The layers"'], {
      cwd: folder,
      env,
      timeout: 120_000,
    });
    assert.match(stdout, /^\d+ passed, 0 failed, 0 skipped$/m);
  });
});

/** What a process has printed. */
class Output {
  text = "";
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    const collect = (bytes: Buffer) => {
      this.text += bytes;
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
  }

  /** Resolves when the text matches. Rejects with all of it if the process ends before. */
  async until(pattern: RegExp): Promise<RegExpMatchArray & { 0: string }> {
    for (;;) {
      const match = this.text.match(pattern);
      if (match) return match as RegExpMatchArray & { 0: string };
      if (this.#child.exitCode !== null) throw new Error(this.text);
      await Promise.race([once(this.#child.stdout ?? this.#child, "data"), once(this.#child, "exit")]);
    }
  }
}

/** Ctrl-C. Resolves to the exit code; make that was interrupted ends by the signal itself, which counts as 0. */
async function stop(child: ChildProcess): Promise<number | null> {
  const exit = once(child, "exit");
  process.kill(-(child.pid ?? 0), "SIGINT");
  const [code, signal] = (await exit) as [number | null, NodeJS.Signals | null];
  return signal === "SIGINT" ? 0 : code;
}
