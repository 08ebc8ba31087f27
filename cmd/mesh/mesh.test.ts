import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive } from "../../internal/engines/child.ts";
import { JsonChat, type Line } from "../../internal/testing/trials/programs/chat-programs.ts";
import { ROOT } from "../../internal/testing/trials/programs/heddle-process.ts";
import type { MeshStatus, StatusRow } from "./screen/status-view.ts";

/** Between two looks at what is only told when asked. */
const LOOK_MS = 200;

describe("make mesh", function () {
  // A dozen programs start four times, beside whatever else this machine does; the first run installs the engines.
  this.timeout(900_000);
  let folder: string;
  const chats: JsonChat[] = [];
  let ann: JsonChat;
  let bob: JsonChat;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-mesh-"));
    await chmod(folder, 0o711); // Postgres's user passes, or root's data would be left elsewhere.
  });
  after(async () => {
    for (const chat of chats) await chat.stop();
    await mesh("down");
    await rm(folder, { recursive: true });
  });

  const env = () => ({ ...process.env, HEDDLE_MESH_DIR: join(folder, "mesh"), NO_COLOR: "1" });

  async function run(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) {
    const child = spawn(join(ROOT, "bin", command), args, { env: { ...env(), ...more } });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    const [code] = (await once(child, "close")) as [number | null];
    return { code, out, err };
  }
  const mesh = (...args: readonly string[]) => run("mesh", args);
  const up = () => mesh("up", "--store", "postgres", "--port", "0");

  const status = async () => JSON.parse((await mesh("status", "--json")).out) as MeshStatus;
  const rowOf = ({ rows }: MeshStatus, name: string) => rows.find((row) => row.name === name) as StatusRow;

  async function untilStatus(isIt: (found: MeshStatus) => boolean): Promise<MeshStatus> {
    for (;;) {
      const found = await status();
      if (isIt(found)) return found;
      await delay(LOOK_MS);
    }
  }

  /** What `. data/mesh/env` sets in a shell, and a place of its own for each user's device. */
  async function shell(): Promise<NodeJS.ProcessEnv> {
    const text = await readFile(join(folder, "mesh/env"), "utf8");
    const set = [...text.matchAll(/([A-Z_]+)=(?:'([^']*)'|(\S+))/g)];
    const settings = set.map(([, name, quoted, plain]) => [name, quoted ?? plain]);
    return { ...Object.fromEntries(settings), XDG_STATE_HOME: join(folder, "state") };
  }

  async function listen(user: string): Promise<JsonChat> {
    const args = ["as", user, "listen", "--json", "--wait", "60"];
    const chat = new JsonChat(spawn(join(ROOT, "bin/chat"), args, { env: { ...env(), ...(await shell()) } }));
    chats.push(chat);
    await chat.until(({ type }) => type === "caught_up");
    return chat;
  }

  const isText = (text: string) => (line: Line) => line.type === "entry" && line.text === text;

  /** How many client streams each push server holds, most first. */
  const streamsOf = ({ rows }: MeshStatus) =>
    rows.flatMap(({ streams }) => (streams === undefined ? [] : [streams])).sort((a, b) => b - a);
  const untilStreams = (count: number) =>
    untilStatus((found) => streamsOf(found).reduce((sum, streams) => sum + streams, 0) === count);

  /** Two people, each on a push server of their own: one that the gateway sent to the same signs in again. */
  async function signInApart(): Promise<void> {
    ann = await listen("ann");
    for (;;) {
      bob = await listen("bob");
      if (streamsOf(await untilStreams(2))[0] === 1) return;
      await bob.stop();
      await untilStreams(1);
    }
  }

  it("serves two people on two push servers through Envoy, and says what to type", async () => {
    const { code, out, err } = await up();
    assert.equal(code, 0, err);
    assert.match(out, /The mesh is ready/);
    assert.match(out, /address {2}https:\/\/127\.0\.0\.1:\d+/);
    assert.match(out, /\. \S+env .*bin\/chat as ann/);
    await signInApart();
    ann.say({ to: "bob", text: "hi bob" });
    await bob.until(isText("hi bob"));
    bob.say({ to: "ann", text: "hi ann" });
    await ann.until(isText("hi ann"));
  });

  it("says that it runs already, and is one", async () => {
    const before = await status();
    const { code, out } = await up();
    assert.equal(code, 0);
    assert.match(out, /^The mesh runs already/);
    assert.equal((await status()).supervisorPid, before.supervisorPid);
  });

  it("mends the kill of a push and of a message server, and its status says so", async () => {
    const before = await status();
    const killed = [before.rows.find(({ streams }) => streams === 1)?.name as string, "message-1"];
    for (const name of killed) process.kill(rowOf(before, name).pid, "SIGKILL");
    const after = await untilStatus(
      (found) => found.isReady && killed.every((name) => rowOf(found, name).restarts === 1),
    );
    for (const name of killed) {
      assert.equal(rowOf(after, name).lastEnd, "SIGKILL");
      assert.notEqual(rowOf(after, name).pid, rowOf(before, name).pid);
    }
    for (let turn = 0; turn < 8; turn += 1) bob.say({ to: "ann", text: `after ${turn}` });
    await ann.until(isText("after 7"));
    const seen = ann.lines.filter((line) => line.type === "entry").map(({ text }) => text);
    assert.deepEqual(new Set(seen).size, seen.length, "each once");
    const screen = await mesh("status");
    assert.equal(screen.code, 0);
    assert.match(screen.out, /message-1 .* restarted 1×, last end SIGKILL/);
    assert.match(
      screen.out,
      /all programs agree: 1 gateway, 3 push, 2 message, 2 channel, 2 presence, 2 thread/,
    );
  });

  it("ends all of it, and has the history when it is up again", async () => {
    for (const chat of chats.splice(0)) await chat.stop();
    const before = await status();
    const { code, out } = await mesh("down");
    assert.equal(code, 0);
    assert.match(out, /Ended 16 processes; the data stays/);
    assert.deepEqual(
      before.rows.filter(({ pid }) => isAlive(pid)),
      [],
    );
    assert.equal((await mesh("status")).code, 3);
    assert.equal((await mesh("up", "--port", "0")).code, 0);
    assert.equal((await status()).edgeUrl, before.edgeUrl);
    const args = ["as", "cleo", "to", "ann", "still there?", "--wait", "60"];
    assert.match((await run("chat", args, await shell())).out, /sent to ann/);
    const state = join(folder, "fresh-device");
    const history = await run(
      "chat",
      ["as", "bob", "--state", state, "--json", "history", "ann"],
      await shell(),
    );
    const texts = history.out
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as Line).text);
    assert.deepEqual(texts.slice(0, 2), ["hi bob", "hi ann"]);
    assert.equal(texts.at(-1), "after 7");
    assert.equal(texts.length, 10);
  });

  it("leaves nothing running when its supervisor is killed", async () => {
    const before = await status();
    process.kill(before.supervisorPid, "SIGKILL");
    while (before.rows.some(({ pid }) => isAlive(pid))) await delay(LOOK_MS);
    assert.equal((await mesh("status")).code, 3);
    const { code, out } = await mesh("down");
    assert.equal(code, 0);
    assert.match(out, /No mesh runs here/);
  });
});
