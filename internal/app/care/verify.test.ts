import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../base/clock.ts";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { LevelMessageStore } from "../../store/level/level-message-store.ts";
import { storeLog } from "../../testing/fakes/message/message-samples.ts";
import { startHeddle } from "../all-in-one.ts";
import { developmentConfig } from "../settings/config.ts";
import { verifyFolder } from "./verify.ts";

const FIXTURE = join(import.meta.dirname, "../../testing/fixtures/043988e/stopped");

describe("A look at a data folder", function () {
  this.timeout("60s");
  let base: string;
  let data: string;
  let nth = 0;

  // The old program's data and eight long threads, in a table; then a running program's folder, as kill leaves it.
  before(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-verify-test-"));
    const source = join(base, "source");
    await cp(FIXTURE, source, { recursive: true });
    await (await start(source)).close();
    const log = await LevelMessageStore.open({ path: join(source, "messages"), clock: systemClock });
    for (let thread = 1; thread <= 8; thread++)
      await storeLog(log, new Uint8Array(16).fill(thread), 512, 200);
    await log.close();
    const heddle = await start(source);
    await cp(source, join(base, "killed"), { recursive: true });
    await heddle.close();
  });
  beforeEach(async () => {
    data = join(base, `copy-${nth++}`);
    await cp(join(base, "killed"), data, { recursive: true });
  });
  after(() => rm(base, { recursive: true }));

  const start = (dataDir: string) =>
    startHeddle(developmentConfig(dataDir, { drainMs: 0, logLevel: "fatal" }));
  const verify = async () => await verifyFolder(data, () => {});
  const flip = async (pattern: RegExp, part: number) => {
    const names = ((await readdir(data, { recursive: true })) as string[]).filter((one) => pattern.test(one));
    const files = await Promise.all(
      names.map(async (name) => ({ name, bytes: await readFile(join(data, name)) })),
    );
    const { name, bytes } =
      files.sort((a, b) => b.bytes.length - a.bytes.length)[0] ?? assert.fail("no file");
    const at = Math.floor(bytes.length * part);
    bytes[at] = (bytes[at] ?? 0) ^ 16;
    await writeFile(join(data, name), bytes);
    return name;
  };
  const whole = async () => {
    const names = ((await readdir(data, { recursive: true })) as string[]).sort();
    return await Promise.all(
      names.map(async (name) => {
        const { mtimeMs, size } = await stat(join(data, name));
        return `${name} ${size} ${mtimeMs}`;
      }),
    );
  };

  it("finds nothing in a whole one, and writes nothing, not even into an empty one", async () => {
    const before = await whole();
    const { problems, damagedThreads, threads, entries } = await verify();
    assert.deepEqual([problems, damagedThreads], [[], 0]);
    assert.ok(threads > 8 && entries > 8 * 200);
    assert.deepEqual(await whole(), before);
    data = await mkdtemp(join(base, "empty-"));
    assert.match((await verify()).problems.map(({ what }) => what).join(), /empty/);
    assert.deepEqual(await readdir(data), []);
  });

  it("looks at every layer, whatever was found in the others, and names the threads that are touched", async () => {
    const table = await flip(/\.ldb$/, 0.3);
    const log = await flip(/messages\/\d+\.log$/, 0.1);
    const { size } = await stat(join(data, "threads.sqlite"));
    await truncate(join(data, "threads.sqlite"), size / 2);
    await rm(join(data, "deployment-id"));
    await rm(join(data, "keys"), { recursive: true });
    await writeFile(join(data, "version.json"), "{");
    const { problems, damagedThreads } = await verify();
    const where = new Set(problems.map((problem) => problem.where));
    for (const one of [
      table,
      log,
      "threads.sqlite",
      "deployment-id",
      "keys/ticket.json",
      "keys/admin",
      "version.json",
    ])
      assert.ok(where.has(one), `${one} is not in ${[...where]}`);
    const threads = [...where].filter((one) => one.startsWith("thread "));
    assert.ok(threads.length > 0 && threads.length === damagedThreads, threads.join());
  });

  it("names each damaged block of a table, and each place of a log, the first twenty of a file", async () => {
    const linesOf = async (file: string) =>
      (await verify()).problems.filter(({ where }) => where === file).map(({ what }) => what);
    let table = "";
    for (const part of [0.2, 0.45, 0.7]) table = await flip(/\.ldb$/, part);
    const three = await linesOf(table);
    assert.deepEqual([three.length, new Set(three).size], [3, 3], three.join("\n"));
    for (const line of three) assert.match(line, /^the checksum of the block at \d+ is wrong$/);
    for (let part = 0.01; part < 0.7; part += 0.02) await flip(/\.ldb$/, part);
    const many = await linesOf(table);
    assert.equal(many.length, 21);
    assert.match(many.at(-1) ?? "", /^\d+ more places of it are damaged$/);
    const messages = join(data, "messages");
    await cp(join(base, "killed", "messages"), messages, { recursive: true });
    const store = await LevelMessageStore.open({ path: messages, clock: systemClock });
    for (let thread = 11; thread <= 18; thread++)
      await storeLog(store, new Uint8Array(16).fill(thread), 512, 20);
    data = join(base, "killed-later");
    await cp(dirname(messages), data, { recursive: true });
    await store.close();
    let log = "";
    for (const part of [0.2, 0.6]) log = await flip(/messages\/\d+\.log$/, part);
    const places = await linesOf(log);
    assert.deepEqual([places.length, new Set(places).size], [2, 2], places.join("\n"));
  });

  it("reads what is left where CURRENT, the MANIFEST, or the index of a table is gone", async () => {
    const { entries } = await verify();
    for (const [pattern, part] of [
      [/messages\/CURRENT$/, 0.5],
      [/messages\/MANIFEST/, 0.1],
      [/\.ldb$/, 0.999],
    ] as const) {
      const name = await flip(pattern, part);
      const found = await verify();
      assert.ok(
        found.problems.some(({ where }) => where === name),
        name,
      );
      assert.equal(found.entries, entries, name);
      assert.equal(found.damagedThreads, 0, name);
      await cp(join(base, "killed", name), join(data, name));
    }
  });

  it("finds a bit that flipped within a name, a role or a block, where SQLite finds all well", async () => {
    // The folder was closed in order, so that the bytes are in the one file.
    await (await start(data)).close();
    const path = join(data, "threads.sqlite");
    const whole = await readFile(path);
    const changes = [
      [
        "UPDATE member SET user_id = 'bnb' WHERE user_id = 'bob'",
        /thread \w+: member bob is not in the rows/,
      ],
      ["UPDATE member SET role = 'member' WHERE role = 'owner'", /say other than its log of member/],
      ["UPDATE member SET joined_seq = joined_seq + 64", /say other than its log of member/],
      ["UPDATE group_thread SET name = name || '~'", /another name than its log/],
      [
        "UPDATE block SET other_user_id = other_user_id || '~'",
        /threads\.sqlite: the block of \S+~ by \S+ has no/,
      ],
      ["UPDATE thread SET other_user_id = 'bnb' WHERE other_user_id = 'bob'", /has the id of another/],
    ] as const;
    for (const [change, words] of changes) {
      const db = new DatabaseSync(path);
      assert.ok(Number(db.prepare(change).run().changes) > 0, change);
      assert.deepEqual({ ...db.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
      db.close();
      const told = (await verify()).problems.map(({ where, what }) => `${where}: ${what}`);
      assert.match(told.join("\n"), words, change);
      await writeFile(path, whole);
    }
    assert.deepEqual((await verify()).problems, []);
  });

  it("names each thread that the rows know and of which nothing is left, whether the MANIFEST says what was there or not", async () => {
    const db = new DatabaseSync(join(data, "threads.sqlite"), { readOnly: true });
    const groups = db.prepare("SELECT lower(hex(thread_id)) AS thread, applied_seq FROM group_thread").all();
    db.close();
    assert.ok(groups.length > 0);
    for (const name of await readdir(join(data, "messages")))
      if (name.endsWith(".ldb")) await rm(join(data, "messages", name));
    for (const isKnown of [true, false]) {
      if (!isKnown) await flip(/messages\/MANIFEST/, 0.6);
      const { problems, damagedThreads } = await verify();
      const told = problems.map(({ where, what }) => `${where}: ${what}`);
      for (const { thread, applied_seq } of groups) {
        const line = told.find((one) => one.startsWith(`thread ${thread}: nothing of it is left`));
        const [, seq] = /up to seq (\d+)/.exec(line ?? "") ?? assert.fail(told.join("\n"));
        assert.ok(Number(seq) >= Number(applied_seq));
      }
      assert.ok(damagedThreads > groups.length, "direct ones too");
    }
  });

  it("names what the rows know above the end of a thread's log", async () => {
    await (await start(data)).close();
    const db = new DatabaseSync(join(data, "threads.sqlite"));
    const [row] = db
      .prepare(
        "UPDATE thread SET read_seq = read_seq + 600 WHERE read_seq > 0 RETURNING lower(hex(thread_id)) AS thread",
      )
      .all();
    db.close();
    const { problems } = await verify();
    const told = problems.map(({ where, what }) => `${where}: ${what}`).join("\n");
    assert.match(told, new RegExp(`thread ${row?.thread}: seq \\d+ to \\d+ are missing at its end`));
  });

  it("agrees with the start about rows that are missing, which makes none then", async () => {
    await rename(join(data, "threads.sqlite"), join(base, "moved"));
    await rm(join(data, "threads.sqlite-wal"), { force: true });
    const before = (await readdir(data)).sort();
    for (let starts = 0; starts < 2; starts++) {
      const { problems } = await verify();
      assert.match(
        problems.map(({ where, what }) => `${where}: ${what}`).join(),
        /threads\.sqlite: it is missing/,
      );
      const refused = (error: unknown) =>
        error instanceof DataFolderError && /admin repair/.test(error.message);
      await assert.rejects(start(data), refused);
    }
    assert.deepEqual((await readdir(data)).sort(), before);
  });
});
