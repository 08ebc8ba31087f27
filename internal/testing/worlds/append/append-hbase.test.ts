import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { systemClock } from "../../../base/clock.ts";
import { HbaseMaster } from "../../../store/hbase/cluster/hbase-master.ts";
import { readQuorum } from "../../../store/hbase/cluster/quorum.ts";
import { DRIVER_NAMES } from "../../../store/hbase/drivers.ts";
import { HbaseMessages } from "../../../store/hbase/hbase-messages.ts";
import { namedRoute } from "../../../store/hbase/wall/driver.ts";
import { inTurn } from "../../../store/in-turn.ts";
import type { MessageStore } from "../../../store/message-store.ts";
import { SeededRandom, testSeed } from "../../fakes/time/seeded-random.ts";
import { FaultProxy } from "../../hbase/fault-proxy.ts";
import { hbaseServer } from "../../hbase/hbase-server.ts";
import { HistoryCalls } from "../history/history-calls.ts";
import { play, steps } from "./append-steps.ts";
import { AppendWorld } from "./append-world.ts";

/** Each takes about 1 s: every call goes to HBase. */
const RUNS = 10;

/** So many of the pieces of bytes, of 1, end their connection: before they have gone on, or after. */
const CUT_SHARE = 1 / 60;

/** The rows of one history, in a table that all share. */
function ownRows(store: MessageStore): MessageStore {
  const threadId = randomBytes(16);
  return {
    checkAndPut: ({ bucket }, ...rest) => store.checkAndPut({ threadId, bucket }, ...rest),
    put: ({ bucket }, ...rest) => store.put({ threadId, bucket }, ...rest),
    get: ({ bucket }, query) => store.get({ threadId, bucket }, query),
  };
}

async function played(
  history: Parameters<typeof play>[1],
  bucketSize: number,
  store: MessageStore,
): Promise<void> {
  const calls = new HistoryCalls();
  const world = new AppendWorld(bucketSize, undefined, calls.noting(ownRows(store)), () => calls.settle());
  await play(world, history);
}

describe("Appends on HBase under interleavings (docs/design.md, sections 2 and 5)", function () {
  this.timeout(600_000);

  let proxy: FaultProxy;
  const opened: HbaseMessages[] = [];
  before(async () => {
    const { quorum } = await hbaseServer();
    const master = new HbaseMaster({
      quorum: readQuorum(quorum),
      findRoute: namedRoute,
      clock: systemClock,
    });
    const servers = (await master.regionServers()).map((name) => name.split(",", 2).join(":"));
    proxy = await FaultProxy.before(servers);
    for (const driver of DRIVER_NAMES)
      for (let program = 0; program < 2; program++)
        opened.push(
          await HbaseMessages.open({
            ...{ quorum, table: "appends", driver, waitMs: 10_000, callMs: 20_000, clock: systemClock },
            findRoute: (address) =>
              servers.includes(address) ? proxy.findRoute(address) : namedRoute(address),
          }),
        );
  });
  afterEach(() => {
    proxy.fate = () => "pass";
  });
  after(async () => {
    for (const one of opened) await one.close();
    proxy?.close();
  });
  const storeOf = (driver: number) =>
    inTurn<MessageStore>(opened.slice(2 * driver, 2 * driver + 2).map(({ store }) => store));

  for (const [at, driver] of DRIVER_NAMES.entries())
    it(`keep promises 1 to 6 by ${driver} while connections are cut, ${RUNS} histories`, async () => {
      const random = new SeededRandom(testSeed());
      proxy.fate = (direction) => {
        if (!random.chance(CUT_SHARE)) return "pass";
        return direction === "back" || random.chance(1 / 2) ? "cut before" : "cut after";
      };
      const cutsBefore = proxy.cuts;
      const property = fc.asyncProperty(steps, (history) => played(history, 2, storeOf(at)));
      await fc.assert(property, { seed: testSeed(), numRuns: RUNS });
      assert.ok(proxy.cuts > cutsBefore + 10, "connections were cut");
      const counts = opened.slice(2 * at, 2 * at + 2).map(({ store }) => store.counts);
      const unanswered = counts.reduce((sum, { unanswered }) => sum + unanswered, 0);
      assert.ok(unanswered > 0, "calls were repeated whose fate was unknown");
    });

  it("go red where the head that was seen is not what is compared", async () => {
    const store = storeOf(0);
    const blind: MessageStore = {
      ...{ put: (...args) => store.put(...args), get: (...args) => store.get(...args) },
      async checkAndPut(row, _expected, ...rest) {
        const { head } = await store.get(row, { head: true });
        return store.checkAndPut(row, head, ...rest);
      },
    };
    const property = fc.asyncProperty(steps, (history) => played(history, 2, blind));
    const { failed } = await fc.check(property, { seed: testSeed(), numRuns: 100, endOnFailure: true });
    assert.ok(failed);
  });
});
