import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ClassicLevel } from "classic-level";
import { systemClock } from "../../base/clock.ts";
import { fromHex } from "../../base/ids.ts";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { rowKey } from "../../store/keys.ts";
import { headKey } from "../../store/level/cell-keys.ts";
import { LevelMessageStore } from "../../store/level/level-message-store.ts";
import { lockFile } from "../../store/sqlite/file-lock.ts";
import { storeLog } from "../../testing/fakes/message/message-samples.ts";
import { startHeddle } from "../all-in-one.ts";
import { openDataFolder } from "../folder/data-folder.ts";
import { developmentConfig } from "../settings/config.ts";
import { repairFolder } from "./repair.ts";
import { verifyFolder } from "./verify.ts";

const FIXTURE = join(import.meta.dirname, "../../testing/fixtures/043988e/stopped");

/** What the log decides of the rows; versions and what is touched are of one file alone. */
const DECIDED = [
  `SELECT owner_id, hex(thread_id) AS thread, kind, other_user_id, has_left, read_seq, read_ordinal, head_bucket,
     joined_seq, left_seq, left_ordinal, left_name, left_member_count, is_large, earlier_spans
   FROM thread ORDER BY owner_id, thread_id`,
  "SELECT hex(thread_id) AS thread, name, applied_seq, member_count, is_large, created_at_ms FROM group_thread",
  "SELECT hex(thread_id) AS thread, user_id, role, joined_seq FROM member ORDER BY thread_id, user_id",
  "SELECT hex(thread_id) AS thread, sender, hex(request_id) AS request, seq FROM group_change ORDER BY thread_id, seq",
];
const KEPT = [
  "SELECT owner_id, hex(thread_id) AS thread, is_muted FROM thread ORDER BY owner_id, thread_id",
  "SELECT * FROM block ORDER BY owner_id, other_user_id",
  "SELECT owner_id, device_id, created_at_ms, revoked_at_ms FROM device ORDER BY owner_id, device_id",
];

describe("A repair of the rows", function () {
  this.timeout("30s");
  let base: string;
  let data: string;

  before(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-repair-"));
    data = join(base, "data");
    await cp(FIXTURE, data, { recursive: true });
    await start();
  });
  after(() => rm(base, { recursive: true }));

  const start = async () => {
    const heddle = await startHeddle(developmentConfig(data, { drainMs: 0 }));
    await heddle.close();
  };
  const repair = async () => repairFolder(await openDataFolder(data), () => {});
  const tables = (queries: readonly string[]) => {
    const db = new DatabaseSync(join(data, "threads.sqlite"));
    const rows = queries.map((query) =>
      db
        .prepare(query)
        .all()
        .map((row) => ({ ...row })),
    );
    db.close();
    return rows;
  };

  it("makes from log and old rows what those were", async () => {
    const before = tables([...DECIDED, ...KEPT]);
    const { made, taken, mutes, before: oldRows, gone } = await repair();
    assert.deepEqual(gone, []);
    const after = tables([...DECIDED, ...KEPT]);
    // The rows' copies of read positions come later than the log's, which is the truth.
    for (const [at, row] of (before[0] ?? []).entries()) {
      const { read_seq = null, read_ordinal = null } = after[0]?.[at] ?? {};
      assert.ok(Number(read_seq) >= Number(row.read_seq) && Number(read_ordinal) >= Number(row.read_ordinal));
      Object.assign(row, { read_seq, read_ordinal });
    }
    assert.deepEqual(after, before);
    assert.deepEqual([made.damaged, made.unknownOthers], [[], []]);
    assert.ok(made.direct > 0 && made.groups > 0 && mutes > 0 && (taken?.kept.device ?? 0) > 0);
    assert.ok(oldRows && (await readdir(data)).some((name) => oldRows.endsWith(name)));
    assert.deepEqual((await verifyFolder(data, () => {})).problems, []);
    await start();
  });

  it("makes from the log alone all that it decides, after a start that was refused", async () => {
    const before = tables(DECIDED);
    await rename(join(data, "threads.sqlite"), join(base, "lost"));
    await assert.rejects(
      start(),
      (error) => error instanceof DataFolderError && /admin repair/.test(error.message),
    );
    assert.ok(!(await readdir(data)).includes("threads.sqlite"), "a start that is refused makes nothing");
    const { made, lost } = await repair();
    assert.equal(lost, "there were no rows");
    assert.deepEqual(tables(DECIDED), before);
    assert.equal(made.maybeBlocked.length, 1);
    await start();
  });

  it("brings rows back to a log of an earlier time", async () => {
    const later = tables(DECIDED);
    await cp(join(FIXTURE, "messages"), join(base, "messages"), { recursive: true });
    await rename(join(data, "messages"), join(base, "later"));
    await rename(join(base, "messages"), join(data, "messages"));
    await assert.rejects(start(), /messages is of an earlier time than threads\.sqlite/);
    await repair();
    assert.deepEqual(tables(DECIDED), later, "the same entries");
    await start();
  });

  it("is alone: a look, a start and another repair are refused while it runs, and not once it was killed", async () => {
    const folder = await openDataFolder(data);
    let tries: Promise<readonly PromiseSettledResult<unknown>[]> | undefined;
    const meanwhile = () => {
      const quiet = () => {};
      const all = [verifyFolder(data, quiet), repairFolder(folder, quiet), repairFolder(folder, quiet, true)];
      return Promise.allSettled<unknown>(all);
    };
    await repairFolder(folder, () => {
      tries ??= meanwhile();
    });
    for (const settled of (await tries) ?? assert.fail("it made no progress")) {
      assert.equal(settled.status, "rejected");
      assert.match(
        String(settled.reason),
        /DataFolderError: .*data is being repaired: wait until bin.heddle admin repair has ended/,
      );
    }
    const release = lockFile(folder.repairLock);
    await assert.rejects(start(), /is being repaired/);
    release();
    await writeFile(folder.repairLock, ""); // As a repair leaves it that is killed.
    assert.deepEqual((await verifyFolder(data, () => {})).problems, []);
    await repair();
    await start();
    assert.ok(!(await readdir(data)).includes("repair.lock"));
  });

  it("refuses to make rows of nothing where rows know of threads", async () => {
    await rename(join(data, "messages"), join(base, "gone"));
    await assert.rejects(repair(), /put the messages back first/);
    await rm(join(data, "messages"), { recursive: true });
    await rename(join(base, "gone"), join(data, "messages"));
    assert.ok(!(await readdir(data)).includes("threads.sqlite.new"));
    await start();
  });

  it("names each thread of which nothing is left, with what the rows knew of it", async () => {
    const whole = join(base, "whole");
    await cp(data, whole, { recursive: true });
    const messages = join(data, "messages");
    const store = await LevelMessageStore.open({ path: messages, clock: systemClock });
    await storeLog(store, new Uint8Array(16).fill(7), 4, 20);
    await store.close();
    for (const name of await readdir(messages)) if (name.endsWith(".ldb")) await rm(join(messages, name));
    const manifest = join(messages, (await readFile(join(messages, "CURRENT"), "utf8")).trim());
    const bytes = await readFile(manifest);
    const at = Math.floor(bytes.length * 0.6);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(manifest, bytes);
    const [groups = []] = tables(["SELECT lower(hex(thread_id)) AS thread, applied_seq FROM group_thread"]);
    const { gone } = await repairFolder(await openDataFolder(data), () => {}, true);
    assert.ok(groups.length > 0 && gone.length > groups.length, "direct ones too");
    for (const { thread, applied_seq } of groups) {
      const { end, knownSeq } =
        gone.find((one) => one.thread === thread) ?? assert.fail(`${thread} is not named`);
      assert.ok(end === 0 && knownSeq >= Number(applied_seq));
    }
    assert.deepEqual(new Set(gone.map(({ thread }) => thread)).size, gone.length);
    await start();
    await rm(data, { recursive: true });
    await rename(whole, data);
  });

  it("goes on without what is damaged in the messages, if that is accepted, and keeps them aside", async () => {
    const messages = join(data, "messages");
    // A start that is killed leaves its batches in the write-ahead log: here they come from the old program's.
    await rm(messages, { recursive: true });
    await cp(join(FIXTURE, "messages"), messages, { recursive: true });
    await repair();
    const log =
      (await readdir(messages))
        .filter((name) => name.endsWith(".log"))
        .sort()
        .at(-1) ?? "";
    const bytes = await readFile(join(messages, log));
    assert.ok(bytes.length > 0);
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await writeFile(join(messages, log), bytes);
    const before = (await readdir(data)).sort();
    await assert.rejects(repair(), /\.log is damaged .* repair --accept-loss/);
    assert.deepEqual((await readdir(data)).sort(), before);
    const { loss } = await repairFolder(await openDataFolder(data), () => {}, true);
    assert.deepEqual(await readFile(join(loss?.aside ?? "", log)), bytes);
    await start();
  });

  it("takes no head that was lost for a block", async () => {
    const messages = join(data, "messages");
    await rm(messages, { recursive: true });
    await cp(join(FIXTURE, "messages"), messages, { recursive: true });
    const { maybeBlocked } = (await repair()).made;
    const [direct = []] = tables([
      "SELECT DISTINCT lower(hex(thread_id)) AS thread FROM thread WHERE kind = 'direct' AND head_bucket = 0",
    ]);
    const threads = direct.map(({ thread }) => String(thread));
    const thread = threads.find((one) => !maybeBlocked.includes(one)) ?? assert.fail("all were blocked");
    const head = headKey(rowKey({ threadId: fromHex(thread), bucket: 0 }));
    const level = new ClassicLevel<Uint8Array, Uint8Array>(messages, {
      keyEncoding: "view",
      valueEncoding: "view",
    });
    await level.open();
    assert.ok(await level.get(head), "it had a head");
    const junk = Buffer.from("to be damaged");
    await level.put(junk, junk);
    await level.del(head);
    await level.close();
    const log = (await readdir(messages)).filter((name) => name.endsWith(".log")).sort();
    const path = join(messages, log.at(-1) ?? assert.fail("no log"));
    const bytes = await readFile(path);
    const at = bytes.lastIndexOf(junk);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const { made } = await repairFolder(await openDataFolder(data), () => {}, true);
    assert.deepEqual([made.maybeBlocked, made.unknownBlocks], [maybeBlocked, [thread]]);
  });
});
