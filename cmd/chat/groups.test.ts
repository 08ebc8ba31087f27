import assert from "node:assert/strict";
import { ChatPrograms, type Line } from "../../internal/testing/trials/programs/chat-programs.ts";

describe("bin/chat with groups and blocks", function () {
  this.timeout(60_000);
  const programs = new ChatPrograms();
  const chat = (args: readonly string[], input?: string) => programs.run(args, input);
  const lines = (out: string) =>
    out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);

  it("makes a group, writes to it by its name, and shows what became of it in sentences", async () => {
    const [ann, bob, cleo] = [programs.newName("ann"), programs.newName("bob"), programs.newName("cleo")];
    const made = await chat(["as", ann, "group", "new", "Long weekend", bob]);
    assert.match(made.out, /^\+Long weekend is there, with 2 members; its id is [0-9a-f]{32}\n$/, made.err);
    assert.match(
      (await chat(["as", ann, "to", "+long weekend", "hello"])).out,
      /^✓+ \w+ to \+long weekend, seq 2/,
    );
    assert.equal(
      (await chat(["as", bob, "group", "add", "+Long weekend", cleo])).out,
      "+Long weekend has 3 members\n",
    );
    assert.equal(
      (await chat(["as", ann, "group", "rename", "Long weekend", "Sunday"])).out,
      "it is +Sunday now\n",
    );
    const history = await chat(["as", bob, "history", "+sunday"]);
    const said = history.out.split("\n").map((line) => line.replace(/^\d\d:\d\d +/, ""));
    assert.deepEqual(said.slice(1), [
      `· ${ann} made the group “Long weekend” with you`,
      `${ann}  hello`,
      `· You added ${cleo}`,
      `· ${ann} named the group “Sunday”`,
      "",
    ]);
    assert.match((await chat(["as", cleo, "threads"])).out, /\+Sunday/);
    const members = await chat(["as", cleo, "group", "members", "+sunday"]);
    assert.deepEqual(members.out.trim().split("\n").sort(), [`${ann} (owner)`, bob, cleo].sort());
  });

  it("shows both stays of one who came back, and a line between them", async () => {
    const [ann, bob] = [programs.newName("ann"), programs.newName("bob")];
    await chat(["as", ann, "group", "new", "Choir", bob]);
    await chat(["as", ann, "to", "+choir", "first stay"]);
    await chat(["as", ann, "group", "remove", "+choir", bob]);
    await chat(["as", ann, "to", "+choir", "in between"]);
    await chat(["as", ann, "group", "add", "+choir", bob]);
    await chat(["as", ann, "to", "+choir", "second stay"]);
    const { out } = await chat(["as", bob, "history", "+choir"]);
    const said = out.split("\n").map((line) => line.replace(/^\d\d:\d\d +/, ""));
    assert.deepEqual(said.slice(1, -1), [
      `· ${ann} made the group “Choir” with you`,
      `${ann}  first stay`,
      `· ${ann} removed you`,
      "· you were not a member here",
      `· ${ann} added you`,
      `${ann}  second stay`,
    ]);
  });

  it("tells programs of every change, and takes their commands", async () => {
    const [ann, bob] = [programs.newName("ann"), programs.newName("bob")];
    const bobs = programs.listen(bob);
    await bobs.until(({ type }) => type === "caught_up");
    const [row] = lines((await chat(["as", ann, "group", "new", "Band", bob, "--json"])).out);
    assert.deepEqual(
      [row?.type, row?.kind, row?.name, row?.member_count, row?.role],
      ["thread_changed", "group", "Band", 2, "owner"],
    );
    const first = await bobs.until(({ kind }) => kind === "member_change");
    assert.deepEqual([first.text, first.from, first.name, first.member_count], ["", ann, "Band", 2]);
    assert.deepEqual(first.removed, []);
    const seen = await bobs.until(({ type, name }) => type === "thread_changed" && name === "Band");
    assert.deepEqual([seen.thread, seen.role, seen.has_left], [row?.thread, "member", false]);
    await chat(["as", ann, "group", "role", "+band", bob, "owner"]);
    const raised = await bobs.until(({ changed }) => Array.isArray(changed) && changed.length > 0);
    assert.deepEqual(raised.changed, [{ user: bob, role: "owner" }]);
    await chat(["as", ann, "group", "rename", "+band", "Choir"]);
    const renamed = await bobs.until(({ kind }) => kind === "setting_change");
    assert.equal(renamed.name, "Choir");
    bobs.say({ thread: row?.thread as string, text: "from a program" });
    await bobs.until(({ type }) => type === "accepted");
    assert.equal((await chat(["as", ann, "group", "leave", "+choir"])).out, "you have left +Choir\n");
    const left = await bobs.until(({ removed }) => Array.isArray(removed) && removed.includes(ann));
    assert.equal(left.member_count, 1);
    const late = await chat(["as", ann, "to", "+choir", "too late"]);
    assert.equal(late.code, 1);
    assert.match(late.err, /you are no member of this group any more/);
  });

  it("blocks, says so to one who writes, and takes it back", async () => {
    const [ann, bob] = [programs.newName("ann"), programs.newName("bob")];
    await chat(["as", bob, "to", ann, "hello"]);
    assert.equal((await chat(["as", ann, "block", bob])).out, `${bob} is blocked\n`);
    assert.equal((await chat(["as", ann, "blocked"])).out, `${bob}\n`);
    const refused = await chat(["as", bob, "to", ann, "why?"]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^chat: not sent: /);
    assert.match((await chat(["as", ann, "threads"])).out, /hello.*\(blocked\)/);
    assert.equal((await chat(["as", ann, "unblock", bob])).out, `${bob} is not blocked any more\n`);
    assert.equal((await chat(["as", bob, "to", ann, "thanks"])).code, 0);
    assert.match((await chat(["as", ann, "blocked"])).out, /nobody is blocked/);
  });

  it("is changed by the lines of the live view, which shows what came of it", async () => {
    const [ann, bob, cleo] = [programs.newName("ann"), programs.newName("bob"), programs.newName("cleo")];
    const input = [
      `/group ${bob} as Choir`,
      "hello all",
      `/add ${cleo}`,
      "/members",
      "/leave",
      "still here?",
    ];
    const { out } = await chat(["as", ann], `${input.join("\n")}\n`);
    for (const text of [
      "+Choir is there",
      `You made the group “Choir” with ${bob}`,
      "hello all",
      `You added ${cleo}`,
      `${ann} (owner), ${bob}, ${cleo}`,
      "you are no member of this group any more",
    ]) {
      assert.ok(out.includes(text), `${text} in\n${out}`);
    }
  });

  it("answers wrong use, and what there is not, with one line", async () => {
    const ann = programs.newName("ann");
    for (const args of [
      ["to", "My group", "hi"],
      ["group", "new"],
      ["group", "add", "+x"],
      ["group", "role", "+x", "bob", "king"],
      ["group", "new", "Name", "Not A Name"],
      ["block"],
    ]) {
      const { code, err } = await chat(["as", ann, ...args]);
      assert.ok(code === 2 || (args.includes("king") && code === 1), `${args}: ${code} ${err}`);
      assert.ok(err.trim().split("\n").length <= 2, err);
    }
    const { code, err } = await chat(["as", ann, "to", "+nowhere", "hi"]);
    assert.deepEqual([code, err], [1, "chat: you have no group nowhere\n"]);
  });
});
