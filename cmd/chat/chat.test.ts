import assert from "node:assert/strict";
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ChatPrograms, type Line } from "../../internal/testing/trials/programs/chat-programs.ts";
import { devTokens } from "../../internal/testing/trials/programs/heddle-process.ts";
import { folderNameOf } from "./device/state-folder.ts";

/** No server is there. With the state folder of the one that is, it is that one that is away. */
const AWAY = "http://127.0.0.1:9";

describe("bin/chat", function () {
  this.timeout(60_000);
  const programs = new ChatPrograms();
  const newName = (base: string) => programs.newName(base);
  const chat = (args: readonly string[], input?: string) => programs.run(args, input);
  const listen = (user: string) => programs.listen(user);
  /** Where a user's state for a server is: that of the tests, or another. */
  const stateOf = (user: string, server = programs.grpcUrl) =>
    join(programs.folder, "state", "heddle", folderNameOf(user, server));

  it("sends one message, and says where it is and how far it got", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const first = await chat(["as", ann, "to", bob, "hello", "bob"]);
    assert.equal(first.code, 0, first.err);
    assert.equal(first.out, `✓ sent to ${bob}, seq 1 (${bob} is offline and gets it on return)\n`);
    const bobs = listen(bob);
    const entry = await bobs.until(({ type }) => type === "entry");
    assert.deepEqual([entry.from, entry.text, entry.seq], [ann, "hello bob", 1]);
    await bobs.until(({ type }) => type === "caught_up");
    const second = await chat(["as", ann, "to", bob, "--json", "and again"]);
    const accepted = JSON.parse(second.out) as Line;
    assert.deepEqual([accepted.type, accepted.seq, accepted.recipient_offline], ["accepted", 2, false]);
  });

  it("shows history and threads", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    await chat(["as", ann, "to", bob], "one\ntwo\nthree\n");
    const history = await chat(["as", bob, "history", ann, "--limit", "2"]);
    assert.match(
      history.out,
      new RegExp(`^── .* ──\n\\d\\d:\\d\\d +${ann} +two\n\\d\\d:\\d\\d +${ann} +three\n$`),
    );
    const json = await chat(["as", bob, "history", ann, "--json"]);
    const lines = json.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    assert.deepEqual(
      lines.map(({ seq, text }) => [seq, text]),
      [
        [1, "one"],
        [2, "two"],
        [3, "three"],
      ],
    );
    const threads = await chat(["as", bob, "threads"]);
    assert.match(threads.out, new RegExp(`^ +1 +${ann} .* three 3 new\n$`));
  });

  it("shows the last messages of threads on a device that has none yet", async () => {
    const [ann, bob, cleo] = [newName("ann"), newName("bob"), newName("cleo")];
    await chat(["as", ann, "to", bob, "said to bob"]);
    await chat(["as", ann, "to", cleo, "said to cleo"]);
    const threads = await chat(["as", ann, "threads", "--state", join(programs.folder, `fresh-${ann}`)]);
    assert.match(
      threads.out,
      new RegExp(`^ +1 +${cleo} .* you: said to cleo\n +2 +${bob} .* you: said to bob\n$`),
    );
  });

  it("shows what it holds of a conversation while the server is away, and says so", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    await chat(["as", ann, "to", bob, "held"]);
    const away = ["--grpc", AWAY, "--web", AWAY, "--wait", "0.5", "--state", stateOf(ann)];
    const { code, out, err } = await chat(["as", ann, "history", bob, ...away]);
    assert.match(out, / {2}held {2}✓/);
    assert.match(err, /^chat: no Heddle answers at .*; this is what was here last\n$/);
    assert.equal(code, 3);
  });

  it("is driven by lines of JSON, and tells everything that happens", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const [anns, bobs] = [listen(ann), listen(bob)];
    await Promise.all([anns, bobs].map((each) => each.until(({ type }) => type === "caught_up")));
    anns.say({ to: bob, text: "hi" });
    const accepted = await anns.until(({ type }) => type === "accepted");
    const entry = await bobs.until(({ type }) => type === "entry");
    assert.deepEqual(Object.keys(entry), [
      "type",
      "thread",
      "seq",
      "from",
      "text",
      "client_id",
      "created_at_ms",
    ]);
    assert.equal(entry.client_id, accepted.client_id);
    assert.equal(entry.thread, accepted.thread);
    bobs.say({ thread: entry.thread as string, read_seq: 1 });
    await anns.until(({ type, user, read_seq: seq }) => type === "receipt" && user === bob && seq === 1);
    bobs.say({ thread: entry.thread as string, text: "" });
    await bobs.until(({ type }) => type === "error");
    assert.equal(await bobs.stop(), 0);
  });

  it("sends every line of its input and ends, with the worst of their outcomes", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const lines = Array.from({ length: 20 }, (_, at) => JSON.stringify({ to: bob, text: `line ${at}` })).join(
      "\n",
    );
    const good = await chat(["as", ann, "--json"], lines);
    assert.equal(good.code, 0);
    assert.equal(good.out.match(/"type":"accepted"/g)?.length, 20);
    const bad = await chat(["as", ann, "--json"], `${lines}\nno json\n`);
    assert.equal(bad.code, 1);
  });

  it("keeps a message while the server is away, says so with code 3, and sends it on the next run", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const away = ["--grpc", AWAY, "--web", AWAY, "--wait", "0.5", "--state", stateOf(ann)];
    const kept = await chat(["as", ann, "to", bob, "later", ...away]);
    assert.equal(kept.code, 3);
    assert.match(kept.err, /no Heddle answers at http:\/\/127\.0\.0\.1:9; start one with: make run\n/);
    assert.match(kept.err, /is kept/);
    const now = await chat(["as", ann, "to", bob, "now"]);
    assert.match(now.out, /seq 2/);
    const history = await chat(["as", bob, "history", ann]);
    assert.match(history.out, /later\n.*now\n$/);
  });

  it("runs twice at a time, each as a device of its own, and sends what the second had to keep", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const anns = listen(ann);
    await anns.until(({ type }) => type === "caught_up");
    const away = ["--grpc", AWAY, "--web", AWAY, "--wait", "0.1", "--state", stateOf(ann)];
    assert.equal((await chat(["as", ann, "to", bob, "from the second", ...away])).code, 3);
    const bobs = listen(bob);
    await bobs.until(({ type }) => type === "caught_up");
    await anns.stop();
    assert.deepEqual((await readdir(stateOf(ann))).sort(), ["2", "device", "state.log"]);
    listen(ann);
    const entry = await bobs.until(({ type }) => type === "entry");
    assert.equal(entry.text, "from the second");
  });

  it("writes into no folder but its own, whatever the user is called", async () => {
    const away = ["--grpc", AWAY, "--web", AWAY, "--wait", "0.1"];
    const bob = newName("bob");
    for (const user of ["..", ".", "../x", "a/../../b"]) {
      assert.equal((await chat(["as", user, "to", bob, `from ${user}`, ...away])).code, 3);
      assert.deepEqual((await readdir(stateOf(user, AWAY))).sort(), ["device", "state.log"]);
    }
    assert.deepEqual(await readdir(join(programs.folder, "state")), ["heddle"]);
    const folders = await readdir(join(programs.folder, "state", "heddle"));
    assert.deepEqual(
      folders.filter((name) => !/\.[0-9a-f]{64}$/.test(name)),
      [],
    );
    await rename(stateOf(".", AWAY), stateOf("."));
    const dots = listen(".");
    assert.equal((await dots.until(({ type }) => type === "accepted")).seq, 1);
    await dots.until(({ type }) => type === "caught_up");
    assert.equal(dots.lines.filter(({ type }) => type === "accepted").length, 1);
  });

  it("sends what an earlier version kept in a folder named by the id alone", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const away = ["--grpc", AWAY, "--web", AWAY, "--wait", "0.1", "--state", stateOf(ann)];
    assert.equal((await chat(["as", ann, "to", bob, "from before", ...away])).code, 3);
    const states = join(programs.folder, "state", "heddle");
    await rename(stateOf(ann), join(states, ann));
    listen(ann);
    assert.equal((await listen(bob).until(({ type }) => type === "entry")).text, "from before");
    assert.equal((await readdir(states)).includes(ann), false);
  });

  it("does its work when what a second run left cannot be opened, and says so", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const state = join(programs.folder, `state-of-${ann}`);
    await mkdir(join(state, "2", "state.log"), { recursive: true });
    const { code, out, err } = await chat(["as", ann, "to", bob, "hi", "--state", state]);
    assert.equal(code, 0, err);
    assert.match(out, /^✓ sent/);
    assert.match(err, /^chat: what device 2 has left to send cannot be opened: EISDIR.*\n$/);
    assert.equal((await chat(["as", ann, "threads", "--state", state])).code, 0, "and lets go of it");
  });

  it("takes a token from a file, and says when that has run out", async () => {
    const ann = newName("ann");
    const file = join(programs.folder, "token");
    await writeFile(file, (await devTokens(programs.webUrl, [ann]))[ann] ?? "");
    assert.equal((await chat(["as", ann, "threads", "--token-file", file])).code, 0);
    const other = await chat(["as", newName("bob"), "threads", "--token-file", file]);
    assert.equal(other.code, 1);
    assert.match(other.err, /^chat: not signed in: /);
    await writeFile(file, "nonsense");
    assert.equal((await chat(["as", ann, "threads", "--token-file", file])).code, 1);
    assert.equal((await chat(["as", ann, "threads", "--token-file", "/nowhere"])).code, 1);
  });

  it("says which line of JSON was wrong, and what is wrong with it", async () => {
    const lines = ['{"watch":["a b"]}', "", '{"to":"bob","text":"\\ud800"}', "{nonsense}"];
    const { code, out } = await chat(["as", newName("ann"), "--json"], lines.join("\n"));
    assert.equal(code, 1);
    const told = out.split("\n").filter((line) => line.includes('"type":"error"'));
    const errors = told.map((line) => JSON.parse(line) as Line);
    errors.sort((a, b) => Number(a.line) - Number(b.line)); // No line waits for the one before.
    assert.deepEqual(
      errors.map(({ line }) => line),
      [1, 3, 4],
    );
    assert.match(String(errors[0]?.message), /each 1–255 visible ASCII characters/);
    assert.match(String(errors[1]?.message), /Unicode/);
  });

  it("says where state cannot be kept, with code 1", async () => {
    for (const folder of ["/dev/null/x", "/proc/xx"]) {
      const { code, err } = await chat(["as", newName("ann"), "threads", "--state", folder]);
      assert.equal(code, 1);
      assert.match(err, /^chat: cannot keep state in \/.*give another with --state\n$/);
    }
  });

  it("answers wrong use with one line and code 2, and a missing server with code 3", async () => {
    const wrong = [[], ["threads"], ["as", "Ann B", "threads"], ["as", "ann", "dance"], ["as", "ann", "to"]];
    for (const args of [...wrong, ["as", "ann", "history", "bob", "--limit", "0"], ["as", "ann", "--nope"]]) {
      const { code, err, out } = await chat(args);
      assert.equal(code, 2, `${args}: ${err}`);
      assert.equal(out, "");
      assert.ok(err.trim().split("\n").length <= 2, err);
    }
    const away = ["--grpc", "http://127.0.0.1:9", "--web", "http://127.0.0.1:9", "--wait", "0.3"];
    for (const args of [["threads"], ["history", "bob"]]) {
      const { code, err } = await chat(["as", newName("ann"), ...args, ...away]);
      assert.equal(code, 3);
      assert.equal(err, "chat: no Heddle answers at http://127.0.0.1:9; start one with: make run\n");
    }
    assert.equal((await chat(["--help"])).code, 0);
    const version = await chat(["--version"]);
    assert.deepEqual([version.code, version.err], [0, ""]);
    assert.match(version.out, /^chat \d+\.\d+\.\d+, node \d+/);
  });
});
