import assert from "node:assert/strict";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { ChatPrograms } from "../../internal/testing/trials/programs/chat-programs.ts";

const PUT_BACK = /^chat: The server was put back to an earlier state: .*\n$/;
const MADE_ANEW = /^chat: The server's data is another than before: .*\n$/;

describe("bin/chat on a server that was put back", function () {
  this.timeout(120_000);
  const programs = new ChatPrograms();
  const data = () => join(programs.folder, "data");
  const backup = () => join(programs.folder, "backup");

  async function well(...args: string[]): Promise<string> {
    const { code, out, err } = await programs.run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${out}${err}`);
    return out;
  }

  it("shows what the server has, at the first look, and says once why it is another", async () => {
    const [ann, bob, cleo] = ["ann", "bob", "cleo"].map((base) => programs.newName(base)) as [
      string,
      string,
      string,
    ];
    for (const user of [ann, cleo]) await well("as", user, "to", bob, "kept");
    await programs.whileAway(() => cp(data(), backup(), { recursive: true }));
    for (const user of [ann, cleo]) await well("as", user, "to", bob, "lost");
    for (const user of [ann, cleo]) assert.match(await well("as", user, "history", bob), /lost/);
    await programs.whileAway(async () => {
      await rm(data(), { recursive: true });
      await cp(backup(), data(), { recursive: true });
    });
    for (const user of [ann, cleo]) await well("as", bob, "to", user, "new");

    const history = await programs.run(["as", ann, "history", bob]);
    assert.match(history.out, /you {2}kept .*\n.* {2}new\n$/);
    assert.match(history.err, PUT_BACK);
    const threads = await programs.run(["as", cleo, "threads"]);
    assert.match(threads.out, new RegExp(`^ +1 +${bob} .* new 1 new\n$`));
    assert.match(threads.err, PUT_BACK);
    for (const user of [ann, cleo]) {
      const again = await programs.run(["as", user, "history", bob]);
      assert.deepEqual([again.code, again.err], [0, ""], "said once");
      assert.doesNotMatch(again.out, /lost/);
    }
  });

  it("sends, at once, what is typed after its data was made anew", async () => {
    const users = ["ann", "cleo", "dan", "erin", "fay"].map((base) => programs.newName(base));
    const [ann, cleo, dan, erin, fay] = users as [string, string, string, string, string];
    const bob = programs.newName("bob");
    for (const user of users) await well("as", user, "to", bob, "old");
    await well("as", dan, "group", "new", "Weekend", bob);
    await programs.whileAway(() => rm(data(), { recursive: true }));

    const sent = await programs.run(["as", ann, "to", bob, "hello"]);
    assert.match(sent.out, new RegExp(`^✓ sent to ${bob}, seq 1 `), sent.err);
    assert.match(sent.err, MADE_ANEW);
    const history = await programs.run(["as", cleo, "history", bob]);
    assert.deepEqual([history.code, history.out], [0, `· no messages with ${bob} yet\n`], history.err);
    const group = await programs.run(["as", dan, "to", "+Weekend", "hello"]);
    assert.deepEqual([group.code, group.out], [1, ""]);
    assert.match(group.err, /\nchat: you have no group Weekend\n$/);
    const piped = await programs.run(["as", erin, "to", bob], "one\ntwo\n");
    assert.equal(piped.code, 0, piped.out);
    const json = await programs.run(["as", fay, "--json"], `${JSON.stringify({ to: bob, text: "hi" })}\n`);
    assert.equal(json.code, 0, json.out);
    assert.match(json.out, /"type":"accepted"/);
  });
});
