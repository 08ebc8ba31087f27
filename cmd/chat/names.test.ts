import assert from "node:assert/strict";
import { ChatPrograms } from "../../internal/testing/trials/programs/chat-programs.ts";
import { devTokens } from "../../internal/testing/trials/programs/heddle-process.ts";

describe("Names at a terminal", function () {
  this.timeout(60_000);
  const programs = new ChatPrograms();
  const id = "auth0|507f1f77bcf86cd799439020";

  async function setName(userId: string, displayName: string): Promise<void> {
    const token = (await devTokens(programs.webUrl, [userId]))[userId];
    const response = await fetch(`${programs.webUrl}/heddle.profile.v1.ProfileService/SetProfile`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ displayName, requestId: Buffer.alloc(16, 1).toString("base64") }),
    });
    assert.equal(response.status, 200, await response.text());
  }

  it("stand where ids stood, with the id beside them where one chooses", async () => {
    await setName(id, "Bo Diddley");
    const ann = programs.newName("ann");
    assert.equal((await programs.run(["as", id, "to", ann, "hello"])).code, 0);
    assert.equal((await programs.run(["as", id, "group", "new", "Band", ann])).code, 0);
    const history = await programs.run(["as", ann, "history", id]);
    assert.match(history.out, /\d\d:\d\d {2}Bo Diddley {2}hello/);
    const threads = await programs.run(["as", ann, "threads"]);
    assert.match(threads.out, /Bo Diddley <auth0\|507f1f77bcf86cd799439020>/);
    assert.match(threads.out, /Bo Diddley made the group “Band” with you/);
    const json = await programs.run(["as", ann, "threads", "--json"]);
    assert.match(json.out, /"peer":"auth0\|507f1f77bcf86cd799439020"/);
    const live = await programs.run(["as", ann, "to", id], "hi there\n");
    assert.equal(live.code, 0, live.err);
    assert.match(live.out, /Bo Diddley {2}hello/);
  });
});
