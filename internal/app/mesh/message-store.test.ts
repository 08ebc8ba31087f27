import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { DatabaseError } from "../../store/database-error.ts";
import { HbaseMaster } from "../../store/hbase/cluster/hbase-master.ts";
import { readQuorum } from "../../store/hbase/cluster/quorum.ts";
import { TABLE_SHAPE } from "../../store/hbase/table-shape.ts";
import { namedRoute } from "../../store/hbase/wall/driver.ts";
import { hbaseServer } from "../../testing/hbase/hbase-server.ts";
import { storeWatches } from "../operators/store-watches.ts";
import { StopStack } from "../stop-stack.ts";
import { openMessageStore } from "./message-store.ts";

describe("The store of messages of the mesh, in HBase", function () {
  this.timeout(240_000);

  let quorum: string;
  let master: HbaseMaster;
  const stacks: StopStack[] = [];
  before(async function () {
    this.timeout(900_000); // HBase is installed when it is first needed.
    ({ quorum } = await hbaseServer());
    master = new HbaseMaster({ quorum: readQuorum(quorum), findRoute: namedRoute, clock: systemClock });
  });
  afterEach(async () => {
    for (const stack of stacks.splice(0)) await stack.unwind();
  });

  /** What a database keeps of it: the first number under each name. */
  function keeper() {
    const numbers = new Map<string, number>();
    return {
      kept: async (name: string, mine: number) => {
        if (!numbers.has(name)) numbers.set(name, mine);
        return numbers.get(name) as number;
      },
      messages: undefined as never,
    };
  }

  async function open(table: string, database = keeper(), waitS = 60) {
    const lines: string[] = [];
    const log = createLog({ level: "info", destination: { write: (line: string) => void lines.push(line) } });
    const metrics = createMetrics({ process: false });
    const stack = new StopStack(log);
    stacks.push(stack);
    const program = { clock: systemClock, metrics, stack, stopped: new AbortController().signal };
    const values = {
      HEDDLE_MESSAGE_STORE: "hbase",
      HEDDLE_HBASE_QUORUM: quorum,
      HEDDLE_HBASE_TABLE: table,
      HEDDLE_HBASE_DRIVER: "thin",
      HEDDLE_DATABASE_URL: undefined,
      HEDDLE_DATABASE_WAIT_S: waitS,
    } as const;
    const store = await openMessageStore(program, values, { database, watch: storeWatches(log, metrics) });
    return { ...store, lines, metrics, stop: () => stack.unwind() };
  }
  const refusal = (opening: Promise<unknown>) =>
    opening.then(
      () => assert.fail("it opened"),
      (error) => {
        assert.ok(error instanceof DatabaseError, String(error));
        return error.message;
      },
    );

  it("makes the table where it is missing, says so, and shows what it counts", async () => {
    const { trouble, lines, metrics } = await open("mesh-new");
    assert.equal(trouble(), undefined);
    assert.match(lines.join(), /making the table mesh-new in HBase, in 16 regions/);
    assert.match(await metrics.metrics(), /heddle_hbase_lookups_total [1-9]/);
    const found = await master.describe("mesh-new");
    assert.equal(found?.attributes.DURABILITY, "FSYNC_WAL");
    assert.deepEqual(Object.keys(found?.families ?? {}).sort(), ["h", "m", "r", "x"]);
  });

  it("takes no table that was made anew under the same name", async () => {
    const database = keeper();
    const first = await open("mesh-lost", database);
    await first.stop();
    await (await open("mesh-lost", database)).stop();
    await master.dropTable("mesh-lost");
    assert.match(
      await refusal(open("mesh-lost", database)),
      /mesh-lost is not the one that has the messages/,
    );
  });

  it("refuses a table of others, and says what to do", async () => {
    await master.createTable("mesh-other", { attributes: {}, families: { cf: {} } }, []);
    assert.match(
      await refusal(open("mesh-other")),
      /mesh-other has the families cf, and not h, m, x, r: name a table of Heddle's own in HEDDLE_HBASE_TABLE/,
    );
    const families = { ...TABLE_SHAPE.families, m: { VERSIONS: "1", TTL: "86400" } };
    await master.createTable("mesh-forgets", { ...TABLE_SHAPE, families }, []);
    assert.match(await refusal(open("mesh-forgets")), /keeps family m with TTL => 86400/);
  });

  it("serves a table that a power cut may harm, and names it", async () => {
    await master.createTable("mesh-weak", { ...TABLE_SHAPE, attributes: { DURABILITY: "ASYNC_WAL" } }, []);
    const { trouble, lines } = await open("mesh-weak");
    assert.match(trouble() ?? "", /DURABILITY => ASYNC_WAL: a power cut .* alter 'mesh-weak'/);
    assert.match(lines.join(), /mesh-weak has DURABILITY => ASYNC_WAL/);
  });

  it("says what to do where HBase cannot be reached", async () => {
    quorum = "127.0.0.1:1";
    assert.match(
      await refusal(open("mesh-new", keeper(), 0)),
      /^HBase at 127\.0\.0\.1:1 cannot be used .*ECONNREFUSED.*: start it, or mend HEDDLE_HBASE_QUORUM$/,
    );
  });
});
