import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeHead } from "../base/head.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { DataFolderError } from "./data-folder-error.ts";
import { LevelMessageStore } from "./level/level-message-store.ts";
import { SqliteThreadStore } from "./sqlite/sqlite-thread-store.ts";
import { TwoHalves } from "./two-halves.ts";

const THREAD = new Uint8Array(16).fill(1);

describe("The log and the rows of one data folder", () => {
  let base: string;
  let clock: FakeClock;
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), "heddle-halves-"));
    clock = new FakeClock();
  });
  afterEach(() => rm(base, { recursive: true }));

  const open = async (folder: string) => {
    const rows = new SqliteThreadStore({
      path: join(folder, "threads.sqlite"),
      clock,
      tick: (work) => void setImmediate(work),
    });
    const log = await LevelMessageStore.open({
      path: join(folder, "messages"),
      clock,
      rows: () => rows.state,
    });
    const close = async () => {
      await log.close();
      await rows.close();
    };
    return { rows, log, halves: new TwoHalves(log, rows, clock), close };
  };
  /** What a process leaves behind that had started, worked and was killed. */
  const session = async (work: (parts: Awaited<ReturnType<typeof open>>) => Promise<unknown>) => {
    const parts = await open(base);
    await parts.halves.check(base);
    await parts.halves.start(base);
    await work(parts);
    await parts.close();
  };
  const append = (log: LevelMessageStore, seq: number) => {
    const head = (at: number) => encodeHead({ seq: at, ordinal: at, membersSeq: 0, epoch: 0 });
    const put = { seq, tag: new Uint8Array(8), value: new Uint8Array(1) };
    return log.checkAndPut({ threadId: THREAD, bucket: 0 }, seq > 1 ? head(seq - 1) : undefined, head(seq), [
      put,
    ]);
  };
  const copy = (part: string, to: string) => cp(join(base, part), join(base, to), { recursive: true });
  const refusal = async () => {
    const parts = await open(base);
    try {
      await parts.halves.check(base);
      return "started";
    } catch (error) {
      assert.ok(error instanceof DataFolderError, String(error));
      assert.match(error.message, /both back .* or let bin\/heddle admin repair/);
      return /: (\S+) is of an earlier time/.exec(error.message)?.[1];
    } finally {
      await parts.close();
    }
  };

  it("start together, and again after a kill at any moment", async () => {
    await session(({ log }) => append(log, 1));
    await session(({ rows }) => rows.createDirect(THREAD, ["ann", "bob"]));
    await session(async ({ rows, log }) => {
      await append(log, 2);
      await rows.setVisibility("ann", "nobody");
    });
    assert.equal(await refusal(), "started");
  });

  it("are refused where the rows are older than the last batch of the log", async () => {
    await session(({ rows }) => rows.createDirect(THREAD, ["ann", "bob"]));
    await copy("threads.sqlite", "older");
    await session(({ log }) => append(log, 1));
    await rm(join(base, "threads.sqlite"));
    await copy("older", "threads.sqlite");
    assert.equal(await refusal(), "threads.sqlite");
    assert.equal(await refusal(), "threads.sqlite", "once more");
    await rm(join(base, "threads.sqlite"));
    assert.equal(await refusal(), "threads.sqlite", "none at all");
  });

  it("are refused where the log is older than what the rows noted, within 5 s of it", async () => {
    await session(({ log }) => append(log, 1));
    await copy("messages", "older");
    await session(async ({ log, rows }) => {
      await append(log, 2);
      const noted = rows.notedLogMark;
      clock.advance(5_000);
      while (rows.notedLogMark === noted) await new Promise((resolve) => setImmediate(resolve));
    });
    await rm(join(base, "messages"), { recursive: true });
    await copy("older", "messages");
    assert.equal(await refusal(), "messages");
    await rm(join(base, "messages"), { recursive: true });
    assert.equal(await refusal(), "messages", "none at all");
  });

  it("write nothing while nothing else is written", async () => {
    await session(async ({ log, rows }) => {
      const before = [log.mark, rows.state.mark];
      for (let at = 0; at < 5; at++) {
        clock.advance(5_000);
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual([log.mark, rows.state.mark], before);
    });
  });
});
