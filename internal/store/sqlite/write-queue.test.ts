import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { ManualLoop } from "../../testing/fakes/time/manual-loop.ts";
import { threadStatements } from "../sql/thread-statements.ts";
import { sqliteCompiler } from "./compiler.ts";
import { Eras } from "./eras.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { WriteQueue } from "./write-queue.ts";

const sql = threadStatements(sqliteCompiler);

/** A file that counts transactions, and whose commits fail while told so. */
class TestFile extends SqliteFile {
  transactions = 0;
  reopened = 0;
  failure: Error | undefined;
  /** Of a commit of which nobody can say whether it is durable, and which is. */
  failureAfter: Error | undefined;

  override transaction<T>(work: () => T): T {
    const done = super.transaction(() => {
      const result = work();
      this.transactions++;
      if (this.failure) throw this.failure;
      return result;
    });
    if (this.failureAfter) throw this.failureAfter;
    return done;
  }

  override reopen(): void {
    this.reopened++;
    if (this.failure) throw this.failure;
  }
}

describe("WriteQueue", () => {
  let file: TestFile;
  let clock: FakeClock;
  let loop: ManualLoop;
  let queue: WriteQueue;
  let events: string[];

  beforeEach(() => {
    file = new TestFile(":memory:");
    clock = new FakeClock();
    loop = new ManualLoop();
    events = [];
    queue = new WriteQueue({
      file,
      eras: new Eras(file),
      clock,
      tick: loop.tick,
      maxQueuedBytes: 100_000,
      watch: { failed: () => events.push("failed"), recovered: () => events.push("recovered") },
    });
  });
  afterEach(() => file.close());

  const take = (ownerId: string) => queue.write(100, () => file.get(sql.takeVersion, { ownerId })?.version);
  const version = (ownerId: string) => file.get(sql.readVersion, { ownerId })?.version;

  it("puts what arrives in one turn into one transaction, and answers each with its own result", async () => {
    const writes = Array.from({ length: 50 }, () => take("ann"));
    loop.turn();
    assert.deepEqual(
      await Promise.all(writes),
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
    assert.equal(file.transactions, 1);
  });

  it("spreads many writes over several turns", async () => {
    const writes = Array.from({ length: 450 }, () => take("ann"));
    loop.turn();
    assert.equal(file.transactions, 1);
    await loop.settle();
    assert.equal((await Promise.all(writes)).at(-1), 450);
    assert.equal(file.transactions, 3);
  });

  it("does the others without a write that has a fault of its own, of which nothing stays", async () => {
    const before = take("ann");
    const faulty = queue.write(100, () => {
      file.get(sql.takeVersion, { ownerId: "bob" });
      throw new TypeError("a fault");
    });
    const after = take("ann");
    loop.turn();
    await assert.rejects(faulty, TypeError);
    assert.deepEqual(await Promise.all([before, after]), [1, 2]);
    assert.equal(version("bob"), undefined);
    assert.equal(queue.ready, true);
  });

  it("refuses more bytes than it may hold, and takes them when there is room", async () => {
    const first = queue.write(99_950, () => "done");
    const isOverloaded = (error: unknown) =>
      error instanceof HeddleError && error.reason === ErrorReason.OVERLOADED;
    await assert.rejects(take("ann"), isOverloaded);
    loop.turn();
    assert.equal(await first, "done");
    const next = take("ann");
    loop.turn();
    assert.equal(await next, 1);
  });

  it("rejects all writes of a transaction that failed, and keeps nothing of them", async () => {
    file.failure = sqliteError(13);
    const writes = [take("ann"), take("bob")];
    loop.turn();
    for (const write of writes) await assert.rejects(write, isUnavailable);
    file.failure = undefined;
    assert.deepEqual([version("ann"), version("bob")], [undefined, undefined]);
    assert.equal(queue.ready, false);
    assert.deepEqual(events, ["failed"]);
  });

  it("serves again by itself when a full disk has room, without closing the file", async () => {
    file.failure = sqliteError(13);
    const write = take("ann");
    loop.turn();
    await assert.rejects(write, isUnavailable);
    clock.advance(5_000);
    assert.equal(queue.ready, false);
    file.failure = undefined;
    clock.advance(500);
    assert.equal(queue.ready, true);
    assert.equal(file.reopened, 0);
    assert.deepEqual(events, ["failed", "recovered"]);
  });

  it("opens the file again after other errors", async () => {
    file.failure = sqliteError(10 + (4 << 8)); // SQLITE_IOERR_FSYNC
    const write = take("ann");
    loop.turn();
    await assert.rejects(write, isUnavailable);
    clock.advance(500);
    assert.equal(file.reopened, 1);
    file.failure = undefined;
    clock.advance(500);
    assert.equal(queue.ready, true);
  });

  it("tells only of states that the file has been in, where a failed opening began an era after all", async () => {
    const eras = new Eras(file);
    eras.begin();
    queue = new WriteQueue({ file, eras, clock, tick: loop.tick, maxQueuedBytes: 100_000 });
    const failed = take("ann");
    file.failure = sqliteError(10); // SQLITE_IOERR
    loop.turn();
    await assert.rejects(failed, isUnavailable);
    file.failure = undefined;
    file.failureAfter = sqliteError(10); // Of the probe, too: the file is opened again.
    clock.advance(500);
    assert.equal(queue.ready, false);
    file.failureAfter = undefined;
    for (const ownerId of ["ann", "bob"]) {
      const write = take(ownerId);
      loop.turn();
      await write;
    }
    assert.equal(file.do(eras.knows(eras.now)), true);
  });

  it("commits what waits when it is closed, and takes no more", async () => {
    const write = take("ann");
    queue.close();
    assert.equal(await write, 1);
    await assert.rejects(take("ann"), isUnavailable);
  });
});

function sqliteError(errcode: number): Error {
  return Object.assign(new Error("an error of SQLite"), { code: "ERR_SQLITE_ERROR", errcode });
}

function isUnavailable(error: unknown): boolean {
  return error instanceof HeddleError && error.reason === ErrorReason.STORE_UNAVAILABLE;
}
