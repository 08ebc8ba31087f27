import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ChatPrograms } from "../../internal/testing/trials/programs/chat-programs.ts";

/** Where nothing answers. */
const AWAY = "http://127.0.0.1:9";

describe("bin/chat with devices", function () {
  this.timeout(60_000);
  const programs = new ChatPrograms();

  it("lists them, and signs one out for ever", async () => {
    const ann = programs.newName("ann");
    const listed = await programs.run(["as", ann, "devices", "--json"]);
    const lines = listed.out.trim().split("\n");
    const [device] = lines.map((line) => JSON.parse(line) as { type: string; device: string });
    assert.deepEqual([lines.length, device?.type], [1, "device"], listed.err);
    assert.match((await programs.run(["as", ann, "devices"])).out, /last used/);
    const name = device?.device ?? "";
    assert.equal((await programs.run(["as", ann, "devices", "revoke", name])).out, `${name} is signed out\n`);
  });

  it("promises nothing for a device that is signed out, and sends what it kept once one signs in anew", async () => {
    const [ann, bob] = [programs.newName("ann"), programs.newName("bob")];
    const [device] = (await programs.run(["as", ann, "devices", "--json"])).out.trim().split("\n");
    const name = (JSON.parse(device ?? "") as { device: string }).device;
    const other = ["--state", join(programs.folder, `other-${ann}`)];
    await programs.run(["as", ann, "devices", "revoke", name, ...other]);
    const anew = `chat as ${ann} sign-in\n`;
    const kept = await programs.run(["as", ann, "to", bob, "kept", "--wait", "5"]);
    assert.equal(kept.code, 3);
    assert.equal(
      kept.err,
      `chat: this device was signed out; sign in anew with: ${anew}` +
        `chat: the message to ${bob} is kept (it was not sent) and goes out only after you sign in anew: ${anew}`,
    );
    const signedIn = await programs.run(["as", ann, "sign-in"]);
    assert.match(signedIn.out, /^signed in anew, as chat-[0-9a-f]{12}\n$/, signedIn.err);
    assert.match((await programs.run(["as", bob, "history", ann])).out, / {2}kept\n$/);
    assert.match((await programs.run(["as", ann, "sign-in"])).out, /^signed in already, as chat-/);
    assert.equal((await programs.run(["as", ann, "to", bob, "more"])).code, 0);
  });

  it("sends what a second run kept whose device was signed out, once one signs in anew", async () => {
    const [ann, bob] = [programs.newName("ann"), programs.newName("bob")];
    const state = join(programs.folder, `state-of-${ann}`);
    const anns = programs.listen(ann, ["--state", state]);
    await anns.until(({ type }) => type === "caught_up");
    await programs.run(["as", ann, "devices", "--state", state]); // The second has signed in.
    const away = ["--grpc", AWAY, "--web", AWAY, "--wait", "0.1", "--state", state];
    assert.equal((await programs.run(["as", ann, "to", bob, "from the second", ...away])).code, 3);
    const second = await readFile(join(state, "2", "device"), "utf8");
    const other = ["--state", join(programs.folder, `other-${ann}`)];
    assert.equal((await programs.run(["as", ann, "devices", "revoke", second, ...other])).code, 0);
    await anns.stop();
    const kept = programs.listen(ann, ["--state", state]);
    let said = "";
    for await (const chunk of kept.child.stderr) {
      said += chunk;
      if (said.endsWith("\n")) break;
    }
    assert.equal(
      said,
      `chat: what device 2 has left to send goes out only after you sign in anew: chat as ${ann} sign-in\n`,
    );
    await kept.stop();
    const signedIn = await programs.run(["as", ann, "sign-in", "--state", state]);
    assert.match(signedIn.out, /^signed in already, as chat-/, signedIn.err);
    assert.match((await programs.run(["as", bob, "history", ann])).out, / {2}from the second\n$/);
  });
});
