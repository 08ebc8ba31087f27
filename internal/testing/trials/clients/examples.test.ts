import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeddleProcess } from "../programs/heddle-process.ts";
import { type ExampleProgram, goExample, javaExample, pythonExample } from "./example-programs.ts";
import { JsonChild } from "./four-clients/json-child.ts";
import { LineMember } from "./four-clients/line-member.ts";
import { texts } from "./four-clients/texts.ts";

describe("The example clients (docs/examples)", function () {
  this.timeout("60s");
  let folder: string;
  let heddle: HeddleProcess;
  let members: readonly LineMember[] = [];
  let written = 0;

  const start = (again?: HeddleProcess) =>
    HeddleProcess.start(join(folder, "data"), {
      env: { HEDDLE_DRAIN_MS: "500" },
      ...(again ? { again: again.addresses } : {}),
    });

  const member = (user: string, peer: string, { command, args, env }: ExampleProgram, dash: string) => {
    const { grpcUrl, webUrl } = heddle.addresses;
    const where = [`${dash}grpc`, grpcUrl, `${dash}web`, webUrl];
    return new LineMember(user, peer, new JsonChild(command, [...args, user, ...where], env));
  };

  const allSee = () => Promise.all(members.map((each) => each.sees(written)));

  before(async function () {
    this.timeout("10m"); // A cold cache: generators are fetched, grpc-go and grpc-java are built.
    folder = await mkdtemp(join(tmpdir(), "heddle-examples-"));
    const [go, java, python] = [await goExample(), await javaExample(), await pythonExample()];
    heddle = await start();
    members = [
      member("ann", "bob", go, "-"),
      member("bob", "ann", java, "--"),
      member("ann", "bob", python, "--"),
    ];
  });
  after(async () => {
    await Promise.allSettled(members.map(({ child }) => child.kill()));
    await heddle?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("carry what all of them say at once to all, in one order, whatever the text is", async () => {
    for (const [at, each] of members.entries()) {
      for (const text of texts(at)) {
        await each.send(text);
        written++;
      }
    }
    await allSee();
    await sameViews();
  });

  it("come back after the server was away, and lose and repeat nothing", async () => {
    assert.equal(await heddle.stop("SIGTERM"), 0);
    for (const each of members) {
      await each.send("said while the server was away");
      written++;
    }
    heddle = await start(heddle);
    await allSee();
    await sameViews();
  });

  it("show what the other has read", async () => {
    const [ann, bob] = members as [LineMember, LineMember];
    await bob.read(written);
    await ann.seesRead("bob", written);
  });

  it("tell what will never be taken, and end well when the input does", async () => {
    for (const { child } of members) {
      child.tell({ to: "bob", text: "" });
      await child.until("refusal", () => child.said.some(({ type }) => type === "refused"));
      assert.equal(await child.end(), 0, child.stderr);
      assert.equal(child.stderr, "");
    }
  });

  async function sameViews(): Promise<void> {
    const [first = [], ...others] = await Promise.all(members.map((each) => each.view()));
    assert.equal(first.length, written);
    for (const view of others) assert.deepEqual(view, first);
  }
});
