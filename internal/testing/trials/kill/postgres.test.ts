import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { plainDatabase } from "../../postgres/plain-database.ts";
import { type OwnPostgres, ownPostgres } from "../../postgres/postgres-server.ts";
import { caughtUp, cutOff, standbyOf } from "../../postgres/standby.ts";
import { JsonChat, type Line } from "../programs/chat-programs.ts";
import { ROOT } from "../programs/heddle-process.ts";
import { KillableHeddle } from "../programs/killable-heddle.ts";

/** The real program on a real Postgres, under what befalls both. */
describe("bin/heddle on Postgres", function () {
  this.timeout("5m"); // Some 20 s on two cores; mostly programs starting, which others that run make slow.
  let folder: string;
  /** The last first: an open handle would keep the run from ending. */
  let ends: (() => Promise<unknown>)[];
  let heddle: KillableHeddle;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-postgres-trial-"));
    ends = [() => rm(folder, { recursive: true, force: true })];
  });
  afterEach(async () => {
    for (const end of ends.toReversed()) await end();
  });

  const serve = async (url: string) => {
    heddle = await KillableHeddle.on(join(folder, "data"), { HEDDLE_DATABASE_URL: url });
    await heddle.start();
    ends.push(() => heddle.stop("SIGKILL"));
  };
  const server = async () => {
    const started = await ownPostgres();
    ends.push(() => started.stop());
    return started;
  };
  const connect = async ({ database }: OwnPostgres) => {
    const client = new Client(database);
    client.on("error", () => {}); // Its server is stopped while it is open.
    await client.connect();
    ends.push(() => client.end());
    return client;
  };
  const run = (args: readonly string[], state = "state") => {
    const { grpcUrl, webUrl } = heddle.addresses;
    const more = { XDG_STATE_HOME: join(folder, state), HEDDLE_GRPC_URL: grpcUrl, HEDDLE_WEB_URL: webUrl };
    return spawn(join(ROOT, "bin/chat"), args, { env: { ...process.env, ...more, NO_COLOR: "1" } });
  };
  const listen = (user: string) => {
    const chat = new JsonChat(run(["as", user, "listen", "--json"]));
    ends.push(() => chat.stop());
    return chat;
  };
  /** The texts of a conversation as a device reads them that nobody has seen before. */
  const history = async (user: string, other: string) => {
    const child = run(["as", user, "history", other, "--json"], `fresh-${ends.length}`);
    ends.push(async () => child.kill());
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    assert.deepEqual(await once(child, "close"), [0, null]);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    return lines.map(({ text }) => text).filter((text) => typeof text === "string" && text !== "");
  };

  it("loses and doubles nothing over kill -9, and while the database is away for seconds", async () => {
    const postgres = await server();
    const database = await plainDatabase(postgres);
    ends.push(() => database.client.end());
    await serve(database.url);
    const ann = listen("ann");
    const bob = listen("bob");
    const say = (text: string) => ann.say({ to: "bob", text });
    const has = (chat: JsonChat, text: string) =>
      chat.until((line) => line.type === "entry" && line.text === text);
    say("one");
    await has(bob, "one");
    await ann.until((line) => line.type === "accepted");

    for (const text of ["two", "three", "four"]) say(text);
    await heddle.stop("SIGKILL");
    say("five");
    await heddle.start();
    await has(bob, "five");

    await postgres.pause();
    say("six");
    bob.say({ to: "ann", text: "seven" });
    const readyz = () => fetch(`${heddle.addresses.adminUrl}/readyz`);
    for (let answer = await readyz(); answer.ok; answer = await readyz()) await answer.text();
    assert.match(await (await readyz()).text(), /^Postgres at .*: start it/);
    await postgres.resume();
    await Promise.all([has(bob, "six"), has(ann, "seven")]);
    say("eight");
    await has(bob, "eight");

    const log = await history("ann", "bob");
    const all = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
    assert.deepEqual([...log].sort(), [...all].sort());
    assert.deepEqual(
      log.filter((text) => text !== "seven"),
      all.filter((text) => text !== "seven"),
    );
    assert.deepEqual(await history("bob", "ann"), log);
    for (const chat of [ann, bob]) {
      assert.deepEqual(
        chat.lines.filter(({ type }) => type === "refused"),
        [],
      );
      const texts = chat.lines.filter(({ type }) => type === "entry").map(({ text }) => text);
      assert.equal(new Set(texts).size, texts.length, "no entry is told twice");
    }
  });

  it("starts anew by itself when a standby is promoted that lost messages, and clients notice", async () => {
    const primary = await server();
    const place = join(folder, "place");
    await mkdir(place);
    const lead = async ({ database: { host, port } }: OwnPostgres) => {
      await rm(join(place, ".s.PGSQL.5432"), { force: true });
      await symlink(join(host, `.s.PGSQL.${port}`), join(place, ".s.PGSQL.5432"));
    };
    await lead(primary);
    await serve(`postgres://${primary.database.user}@/postgres?host=${place}`);
    const ann = listen("ann");
    const bob = listen("bob");
    ann.say({ to: "bob", text: "kept" });
    await bob.until(({ text }) => text === "kept");
    const standby = await standbyOf(primary);
    ends.push(() => standby.stop());
    const there = await connect(standby);
    await caughtUp(await connect(primary), there);
    await cutOff(there);
    ann.say({ to: "bob", text: "lost" });
    await bob.until(({ text }) => text === "lost");

    await primary.stop();
    await lead(standby);
    await there.query("SELECT pg_promote()");
    while (!heddle.stderr.some((line) => line.includes("starting anew"))) await new Promise(setImmediate);
    ann.say({ to: "bob", text: "new" });
    await bob.until(({ text }) => text === "new");
    assert.deepEqual(await history("bob", "ann"), ["kept", "new"]);
  });
});
