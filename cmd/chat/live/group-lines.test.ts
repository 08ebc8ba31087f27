import assert from "node:assert/strict";
import { fromHex } from "../../../internal/base/ids.ts";
import { MemberRole } from "../../../internal/gen/heddle/message/v1/entry_pb.js";
import { ThreadKind } from "../../../internal/gen/heddle/thread/v1/thread_pb.js";
import type { CreateGroupRequest } from "../../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import { ClientWorld, settled, THREAD } from "../../../internal/testing/worlds/client/client-world.ts";
import { groupLine } from "./group-lines.ts";

describe("Lines of the live view about groups", () => {
  let world: ClientWorld;
  const thread = { threadId: fromHex(THREAD), kind: ThreadKind.GROUP, name: "Weekend", head: { seq: 1n } };
  const say = (line: string, inGroup = true) => {
    const [word = "", ...rest] = line.split(" ");
    const conversation = inGroup ? world.client.conversation(THREAD) : undefined;
    return groupLine(world.client, conversation, word, rest);
  };
  /** Names of calls, with what they are about. */
  const calls = () =>
    world.transport.calls.filter(({ name }) => !/OpenSession|Receipts|Entries|Presence/.test(name));

  beforeEach(async () => {
    world = await new ClientWorld().live();
    world.transport.stream.hear({ case: "threadChanged", value: { threadId: fromHex(THREAD), thread } });
    await settled();
    for (const name of [
      "CreateGroup",
      "AddMembers",
      "RemoveMembers",
      "LeaveGroup",
      "SetMemberRole",
      "RenameGroup",
    ]) {
      world.transport.answers[name] = () => ({ thread });
    }
    world.transport.answers.BlockUser = () => ({ thread });
  });
  afterEach(() => world.client.close());

  it("make a group and lead into it", async () => {
    assert.deepEqual(await say("group bob cleo as Long weekend", false), {
      say: "+Weekend is there",
      open: `+${THREAD}`,
    });
    const [{ name, userIds } = assert.fail()] = world.transport.requests<CreateGroupRequest>("CreateGroup");
    assert.deepEqual([name, userIds], ["Long weekend", ["bob", "cleo"]]);
    assert.match((await say("group bob"))?.say ?? "", /as Weekend/);
  });

  it("change the group on the screen, and no other conversation", async () => {
    for (const line of [
      "add bob cleo",
      "remove bob",
      "owner cleo",
      "member cleo",
      "rename Long weekend",
      "leave",
    ]) {
      assert.deepEqual(await say(line), {}, line);
    }
    assert.deepEqual(
      calls().map(({ name }) => name),
      ["AddMembers", "RemoveMembers", "SetMemberRole", "SetMemberRole", "RenameGroup", "LeaveGroup"],
    );
    assert.match((await say("leave", false))?.say ?? "", /is for groups/);
    assert.match((await say("add"))?.say ?? "", /takes a name/);
    assert.equal(await say("older"), undefined, "another's line");
  });

  it("name the members, and block", async () => {
    const owner = { userId: "ann", role: MemberRole.OWNER };
    world.transport.answers.ListMembers = () => ({
      members: [owner, { userId: "bob", role: MemberRole.MEMBER }],
    });
    assert.deepEqual(await say("members"), { say: "ann (owner), bob" });
    assert.deepEqual(await say("block eve"), { say: "eve is blocked" });
    assert.match((await say("block"))?.say ?? "", /takes a name/);
  });
});
