import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../internal/testing/trials/programs/heddle-process.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** One of each kind: of its own, with commands below it, below one. Every other goes through the same loop. */
const COMMANDS = ["to", "devices", "group role", "devices revoke"];

describe("The words of bin/chat", function () {
  this.timeout(60_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-words-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs it where no server is, and no state is kept. */
  const chat = (words: string): Promise<Ended> =>
    new Promise((resolve) => {
      const env = { PATH: process.env.PATH, XDG_STATE_HOME: folder, HEDDLE_GRPC_URL: "http://127.0.0.1:9" };
      const args = words.split(" ").filter(Boolean);
      const child = execFile(join(ROOT, "bin/chat"), args, { env }, (_, out, err) => {
        resolve({ code: child.exitCode ?? -1, out, err });
      });
      child.stdin?.end();
    });

  it("takes `as` for who one is only where it stands before the command", async () => {
    for (const words of ["", "as", "to bob run as root", "--wait 0 to bob as"]) {
      const { code, err } = await chat(words);
      assert.deepEqual(
        [code, err],
        [2, "chat: say who you are: chat as ann (chat --help for more)\n"],
        words,
      );
    }
    const { code, err } = await chat("--wait 0 --json as ann to bob as if");
    assert.equal(code, 3, err);
    assert.match(err, /^chat: no Heddle answers .*\nchat: the message to bob is kept .* as ann\n$/);
  });

  it("refuses words that a command does not take, and names the help that says which it does", async () => {
    for (const words of [
      "threads bob",
      "history bob cleo",
      "devices wat",
      "blocked bob",
      "group members +a b",
    ]) {
      const { code, err } = await chat(`as ann --wait 0 ${words}`);
      const command = words.startsWith("group") ? "group members" : words.split(" ")[0];
      assert.equal(code, 2, `${words}: ${err}`);
      assert.match(
        err,
        new RegExp(`^chat: too many arguments .*\\n\\(chat ${command} --help says more\\)\\n$`),
      );
    }
    const { err } = await chat("as ann history");
    assert.equal(err, "chat: missing required argument 'chat'\n(chat history --help says more)\n");
  });

  it("explains each command by itself, and says where the other options stand", async () => {
    for (const command of COMMANDS) {
      const { code, out } = await chat(`${command} --help`);
      assert.equal(code, 0, command);
      assert.match(out, /--json +print one JSON object a line/, command);
      assert.match(out, /Where the server is, .*: chat --help\.\n$/, command);
      assert.doesNotMatch(out, /as above/, command);
    }
    assert.match((await chat("group role --help")).out, /owner or member/);
  });
});
