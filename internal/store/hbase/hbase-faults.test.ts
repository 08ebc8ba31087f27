import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { systemClock } from "../../base/clock.ts";
import { decodeHead, EMPTY_HEAD, encodeHead } from "../../base/head.ts";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { FaultProxy } from "../../testing/hbase/fault-proxy.ts";
import { hbaseServer } from "../../testing/hbase/hbase-server.ts";
import { rowKey } from "../keys.ts";
import type { EntryCellPut, MessageStore, RowKey } from "../message-store.ts";
import { HbaseMaster } from "./cluster/hbase-master.ts";
import { HbaseTable } from "./cluster/hbase-table.ts";
import { readQuorum } from "./cluster/quorum.ts";
import type { Region } from "./cluster/region-map.ts";
import { ServerLinks } from "./cluster/server-links.ts";
import { DRIVER_NAMES, type DriverName, driverNamed } from "./drivers.ts";
import { HbaseMessageStore } from "./hbase-message-store.ts";
import { splitKeys, TABLE_SHAPE } from "./table-shape.ts";
import { namedRoute } from "./wall/driver.ts";

const CALL_MS = 1_500;

const entry = (seq: number, tag: number, value = Buffer.alloc(40, tag)): EntryCellPut => ({
  seq,
  tag: Uint8Array.of(tag, 0, 0, 0, 0, 0, 0, 0),
  value,
});
const head = (seq: number, epoch = 0) => encodeHead({ ...EMPTY_HEAD, seq, epoch });
const freshRow = (): RowKey => ({ threadId: randomBytes(16), bucket: 0 });
const isUnavailable = (error: unknown) =>
  error instanceof HeddleError && error.reason === ErrorReason.STORE_UNAVAILABLE;

describe("HbaseMessageStore under faults", function () {
  this.timeout(240_000);

  let quorum: string;
  let master: HbaseMaster;
  let proxy: FaultProxy;
  let findRoute: typeof namedRoute;
  const closes: (() => void)[] = [];

  before(async () => {
    ({ quorum } = await hbaseServer());
    master = new HbaseMaster({ quorum: readQuorum(quorum), findRoute: namedRoute, clock: systemClock });
    const servers = (await master.regionServers()).map((name) => name.split(",", 2).join(":"));
    proxy = await FaultProxy.before(servers);
    findRoute = (address) => (servers.includes(address) ? proxy.findRoute(address) : namedRoute(address));
    await master.createTable("faults", TABLE_SHAPE, splitKeys(4));
  });
  afterEach(() => {
    proxy.resume();
    proxy.fate = () => "pass";
    for (const close of closes.splice(0)) close();
  });
  after(() => proxy?.close());

  function openTable(driver: DriverName, init: { callMs?: number; maxBytes?: number } = {}): HbaseTable {
    const links = new ServerLinks({ driver: driverNamed(driver), findRoute, clock: systemClock });
    const parts = { table: "faults", quorum: readQuorum(quorum), links, clock: systemClock };
    const table = new HbaseTable({ ...parts, callMs: CALL_MS, maxBytes: 64e6, ...init });
    closes.push(
      () => table.close(),
      () => links.close(),
    );
    return table;
  }
  const openStore = (driver: DriverName, init = {}) => new HbaseMessageStore(openTable(driver, init));

  /** Ends connections instead of the next answer. */
  function loseNextAnswer(): void {
    let isLost = false;
    proxy.fate = (direction) => {
      if (isLost || direction === "out") return "pass";
      isLost = true;
      return "cut before";
    };
  }

  for (const driver of DRIVER_NAMES)
    describe(`by ${driver}`, () => {
      it("knows its own write again whose answer was lost, and counts it", async () => {
        const store = openStore(driver);
        const row = freshRow();
        assert.equal(await store.checkAndPut(row, undefined, head(1), [entry(1, 7)]), true);
        loseNextAnswer();
        assert.equal(await store.checkAndPut(row, head(1), head(3), [entry(2, 7), entry(3, 7)]), true);
        assert.equal(store.counts.ownFalse, 1);
        loseNextAnswer();
        assert.equal(await store.checkAndPut(row, head(3), head(3, 1), []), true, "a raise without an entry");
        assert.equal(store.counts.ownFalse, 2);
      });

      it("takes no other's write for its own", async () => {
        const store = openStore(driver);
        const row = freshRow();
        await store.checkAndPut(row, undefined, head(1), [entry(1, 7)]);
        loseNextAnswer();
        assert.equal(await store.checkAndPut(row, undefined, head(1), [entry(1, 8)]), false);
        loseNextAnswer();
        assert.equal(await store.checkAndPut(row, undefined, head(1), [entry(1, 7, Buffer.alloc(3))]), false);
        assert.equal(store.counts.ownFalse, 0);
      });

      it("repeats no unchecked write of which it does not know whether it was done", async () => {
        const store = openStore(driver);
        const row = freshRow();
        const cell = { qualifier: Uint8Array.of(1), timestamp: 5, value: Uint8Array.of(9) };
        await store.put(row, "x", [cell]);
        loseNextAnswer();
        await assert.rejects(store.put(row, "x", [{ ...cell, value: Uint8Array.of(8) }]), isUnavailable);
        assert.equal(
          (await store.get(row, { family: "x" })).cells[0]?.value[0],
          8,
          "it was done all the same",
        );
        assert.equal(store.counts.retries, 0);
      });

      it("ends a call that hangs at its deadline, and serves when the way is open again", async () => {
        const store = openStore(driver);
        const row = freshRow();
        await store.checkAndPut(row, undefined, head(1), [entry(1, 7)]);
        proxy.stall();
        const startMs = performance.now();
        await assert.rejects(store.get(row, { head: true }), isUnavailable);
        const tookMs = performance.now() - startMs;
        assert.ok(tookMs >= CALL_MS && tookMs < 3 * CALL_MS, `${tookMs} ms`);
        proxy.resume();
        assert.deepEqual(decodeHead((await store.get(row, { head: true })).head ?? head(0)).seq, 1);
      });

      it("refuses what would hold more bytes than it may, and takes more when that has gone", async () => {
        const store = openStore(driver, { maxBytes: 100_000 });
        const row = freshRow();
        proxy.stall();
        const value = Buffer.alloc(40_000);
        const under = [1, 2].map((seq) =>
          store.checkAndPut(row, undefined, head(seq), [entry(seq, 1, value)]),
        );
        const refused = await store
          .checkAndPut(row, undefined, head(3), [entry(3, 1, value)])
          .catch((e) => e);
        assert.equal((refused as HeddleError).reason, ErrorReason.OVERLOADED);
        await Promise.allSettled(under);
        proxy.resume();
        await store.checkAndPut(freshRow(), undefined, head(1), [entry(1, 1, value)]);
      });

      it("proves a head by a write that leaves the row as it is, an absent one too", async () => {
        const store = openStore(driver);
        const row = freshRow();
        assert.equal((await store.get(row, { head: true, isProved: true })).head, undefined);
        assert.equal((await store.get(row, { head: true })).head, undefined);
        assert.equal(await store.checkAndPut(row, undefined, head(1), [entry(1, 7)]), true);
        const proved = await store.get(row, {
          ...{ head: true, entries: { fromSeq: 1, toSeq: 9 }, isProved: true },
        });
        assert.deepEqual([proved.head && decodeHead(proved.head).seq, proved.entries.length], [1, 1]);
        assert.equal(await store.checkAndPut(row, head(1), head(2), [entry(2, 7)]), true);
        assert.equal(store.counts.proofs, 2);
      });

      it("loses nothing and answers no error while regions are moved, split and cut off", async () => {
        const table = openTable(driver, { callMs: 30_000 });
        const store = new HbaseMessageStore(table);
        const writing = new Writers(store, 12);
        const servers = await master.regionServers();
        const regionAt = (row: RowKey) => table.region(rowKey(row));
        const move = async (region: Region) => {
          const other = servers.find((name) => name.split(",", 2).join(":") !== region.address);
          await master.moveRegion(region, other);
        };
        await writing.untilMore(20);
        for (const row of writing.rows.slice(0, 2)) {
          await move(await regionAt(row));
          await writing.untilMore(20);
        }
        const region = await regionAt(writing.rows[0] as RowKey);
        await master.splitRegion("faults", region, rowKey(writing.rows[0] as RowKey).slice(0, 4));
        await writing.untilMore(20);
        proxy.cut();
        await writing.untilMore(20);
        await writing.stop();
        assert.deepEqual(writing.errors, []);
        await writing.verify();
        assert.ok(table.counts.lookups > 4, "regions were looked up again");
      });
    });
});

/** Each appends to a thread of its own, one entry after the other. */
class Writers {
  readonly rows: readonly RowKey[];
  readonly errors: unknown[] = [];
  readonly #store: MessageStore;
  readonly #seqs: number[];
  readonly #running: Promise<void>;
  #isStopped = false;
  #acknowledged = 0;
  #heard: () => void = () => {};

  constructor(store: MessageStore, count: number) {
    this.#store = store;
    this.rows = Array.from({ length: count }, freshRow);
    this.#seqs = this.rows.map(() => 0);
    this.#running = Promise.all(this.rows.map((row, at) => this.#write(row, at))).then(() => {});
  }

  /** Resolves when so many more are acknowledged, or a writer has failed. */
  async untilMore(count: number): Promise<void> {
    const until = this.#acknowledged + count;
    while (this.#acknowledged < until && this.errors.length === 0)
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** What was acknowledged is there, and nothing else. */
  async verify(): Promise<void> {
    for (const [at, row] of this.rows.entries()) {
      const read = await this.#store.get(row, { head: true, entries: { fromSeq: 1, toSeq: 1_000_000 } });
      const seqs = read.entries.map(({ seq }) => seq);
      assert.deepEqual(
        seqs,
        Array.from({ length: this.#seqs[at] as number }, (_, seq) => seq + 1),
      );
    }
  }

  async #write(row: RowKey, at: number): Promise<void> {
    for (let seq = 1; !this.#isStopped; seq++) {
      try {
        const expected = seq === 1 ? undefined : head(seq - 1);
        assert.equal(await this.#store.checkAndPut(row, expected, head(seq), [entry(seq, at)]), true);
        this.#seqs[at] = seq;
        this.#acknowledged++;
      } catch (error) {
        this.errors.push(error);
        this.#isStopped = true;
      }
      this.#heard();
    }
  }
}
