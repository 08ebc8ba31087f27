import assert from "node:assert/strict";
import { fromHex } from "../../../internal/base/ids.ts";
import { ThreadKind } from "../../../internal/gen/heddle/thread/v1/thread_pb.js";
import { ClientWorld, settled } from "../../../internal/testing/worlds/client/client-world.ts";
import { readSettings } from "../device/settings.ts";
import { named } from "../text/user-name.ts";
import { conversationOf, groupOf, titleOf } from "./target.ts";

const settings = readSettings("ann", { wait: "0.01" }, {});
const ids = ["ab", "cd", "ef"].map((byte) => byte.repeat(16));

describe("What a conversation is called at a terminal", () => {
  let world: ClientWorld;

  beforeEach(async () => {
    world = await new ClientWorld().live();
    for (const [at, name] of ["Weekend", "bob", "bob"].entries()) {
      const threadId = fromHex(ids[at] ?? "");
      const thread = { threadId, kind: ThreadKind.GROUP, name, joinedSeq: 1n, head: { seq: 1n } };
      world.transport.stream.hear({ case: "threadChanged", value: { threadId, thread } });
    }
    await settled();
  });
  afterEach(() => world.client.close());

  it("is a user without +, also where a group has that name", async () => {
    assert.equal((await conversationOf(world.client, settings, "bob")).peer, "bob");
    for (const wrong of ["Bob Lee", "my group", "+", "", "user:", "group:", "x".repeat(256)]) {
      assert.throws(() => named(wrong), { exitCode: 2 }, wrong);
    }
  });

  it("is what user: and group: say, whatever the name begins with", async () => {
    for (const userId of [
      "bob",
      "+weekend",
      "-x",
      "user:bob",
      "group:weekend",
      "/quit",
      "auth0|5f",
      "Ann@x.example",
    ]) {
      const conversation = await conversationOf(world.client, settings, `user:${userId}`);
      assert.equal(conversation.peer, userId);
      const title = titleOf({ peer: userId, name: undefined, threadId: "" });
      assert.deepEqual(named(title), { kind: "user", userId }, title);
    }
    assert.equal((await conversationOf(world.client, settings, "auth0|5f")).peer, "auth0|5f");
    assert.equal((await conversationOf(world.client, settings, "group:weekend")).threadId, ids[0]);
  });

  it("is a group with +, by name or id, if there is one and no other", async () => {
    for (const target of ["+Weekend", "+weekend", `+${ids[0]}`, "+ababab"]) {
      assert.equal((await conversationOf(world.client, settings, target)).threadId, ids[0], target);
    }
    await assert.rejects(
      groupOf(world.client, settings, "+bob"),
      /more than one group.*\+cdcdcdcd, \+efefefef/,
    );
    assert.equal((await groupOf(world.client, settings, "+cdcdcdcd")).name, "bob");
    await assert.rejects(groupOf(world.client, settings, "+nothing"), /you have no group nothing/);
  });

  it("is shown without what a terminal would obey", () => {
    const name = "Week\u001b[2Jend";
    assert.equal(titleOf({ peer: undefined, name, threadId: ids[0] ?? "" }), "+Week·[2Jend");
    assert.equal(titleOf({ peer: "bob", name: undefined, threadId: ids[0] ?? "" }), "bob");
    assert.equal(titleOf({ peer: undefined, name: undefined, threadId: ids[0] ?? "" }), "abababab");
  });
});
