import assert from "node:assert/strict";
import { ChatPrograms, type Line } from "../../internal/testing/trials/programs/chat-programs.ts";

/** Three times what an outbox takes. */
const LINES = 3_000;
const texts = Array.from({ length: LINES }, (_, at) => `line ${at + 1}`);

describe("bin/chat at the end of a pipe", function () {
  this.timeout(300_000);
  const programs = new ChatPrograms();

  /** What `user` has got from `from`, in order. */
  async function gotFrom(user: string, from: string): Promise<unknown[]> {
    const { out } = await programs.run(["as", user, "history", from, "--limit", "5000", "--json"]);
    const lines = out.split("\n").filter((line) => line !== "");
    return lines.map((line) => (JSON.parse(line) as Line).text);
  }

  it(`sends ${LINES} lines in order, however much faster they come than they go`, async () => {
    const [ann, bob] = [programs.newName("ann"), programs.newName("bob")];
    const { code, out } = await programs.run(["as", ann, "to", bob], `${texts.join("\n")}\n`);
    assert.equal(code, 0, out.slice(-500));
    assert.ok(!/full|not sent/.test(out), out.slice(-500));
    assert.deepEqual(await gotFrom(bob, ann), texts);
  });

  it(`sends ${LINES} lines of JSON in order, to several users`, async () => {
    const [ann, ...others] = ["ann", "bob", "cleo", "dan"].map((name) => programs.newName(name));
    const to = (at: number) => others[at % others.length] ?? "";
    const lines = texts.map((text, at) => JSON.stringify({ to: to(at), text }));
    const { code, out } = await programs.run(["as", ann ?? "", "--json"], lines.join("\n"));
    assert.equal(code, 0, out.slice(-500));
    assert.ok(!out.includes('"type":"error"'), out.slice(-500));
    for (const [place, other] of others.entries()) {
      const own = texts.filter((_, at) => at % others.length === place);
      assert.deepEqual(await gotFrom(other, ann ?? ""), own);
    }
  });

  const wait = ["--wait", "1"];

  it("keeps what it has read while the server is away, reads no more, says so with code 3, and sends it later", async () => {
    const [ann, bob] = [programs.newName("ann"), programs.newName("bob")];
    const { code, out } = await programs.whileAway(() =>
      programs.run(["as", ann, "to", bob, ...wait], `${texts.join("\n")}\n`),
    );
    assert.equal(code, 3, out.slice(-500));
    const kept = Number(out.match(/^· (\d+) not sent yet/m)?.[1]);
    assert.ok(kept > 0 && kept < 1_000, out.slice(-500));
    assert.match(out, new RegExp(`from "line ${kept + 1}" on`));
    const then = await programs.run(["as", ann, "to", bob], "and on\n");
    assert.equal(then.code, 0, then.out.slice(-500));
    assert.deepEqual(await gotFrom(bob, ann), [...texts.slice(0, kept), "and on"]);
  });

  it("does the same with lines of JSON", async () => {
    const [ann, bob] = [programs.newName("ann"), programs.newName("bob")];
    const lines = texts.map((text) => JSON.stringify({ to: bob, text }));
    const alone = programs.newName("ann");
    const [{ code, out }, few] = await programs.whileAway(async () => [
      await programs.run(["as", ann, "--json", ...wait], lines.join("\n")),
      await programs.run(["as", alone, "--json", ...wait], lines[0]),
    ]);
    assert.equal(code, 3, out.slice(-500));
    const errors = out.split("\n").filter((line) => line.includes('"type":"error"'));
    assert.equal(errors.length, 1, errors.slice(0, 3).join("\n"));
    const kept = Number(errors[0]?.match(/(\d+) not sent yet/)?.[1]);
    assert.match(errors[0] ?? "", new RegExp(`from line ${kept + 1} on`));
    assert.equal(few.code, 3, "also where all was read");
  });

  it("ends with code 1 for a line that the server refuses for good", async () => {
    const [ann, bob] = [programs.newName("ann"), programs.newName("bob")];
    await programs.run(["as", bob, "block", ann]);
    const { code, out } = await programs.run(["as", ann, "to", bob], "one\ntwo\n");
    assert.equal(code, 1, out);
  });
});
