import assert from "node:assert/strict";
import { ChatPrograms } from "../../internal/testing/trials/chat-programs.ts";

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
});
