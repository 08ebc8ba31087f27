/**
 * Measures the HBase store by each of its drivers, against an HBase that it starts, or the one whose quorum is given:
 * `node internal/testing/hbase/measure.ts [quorum]`. CPU is of this process alone.
 */
import { randomBytes } from "node:crypto";
import { systemClock } from "../../base/clock.ts";
import { EMPTY_HEAD, encodeHead } from "../../base/head.ts";
import { DRIVER_NAMES, type DriverName } from "../../store/hbase/drivers.ts";
import { HbaseMessages } from "../../store/hbase/hbase-messages.ts";
import type { MessageStore, RowKey } from "../../store/message-store.ts";
import { hbaseServer } from "./hbase-server.ts";

const MEASURE_MS = 3_000;
const VALUE = Buffer.alloc(150, 65);
const PAGE = 50;

interface Measured {
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** Does `work` again and again, so many at once; the first second is not counted. */
async function measured(inFlight: number, work: (lane: number) => Promise<unknown>): Promise<Measured> {
  let done = 0;
  let isOver = false;
  const lanes = Array.from({ length: inFlight }, async (_, lane) => {
    for (; !isOver; done++) await work(lane);
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const [doneBefore, cpuBefore, startMs] = [done, process.cpuUsage(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
  const { user, system } = process.cpuUsage(cpuBefore);
  const count = done - doneBefore;
  const result = {
    perSecond: (count / (performance.now() - startMs)) * 1_000,
    cpuUs: (user + system) / count,
  };
  isOver = true;
  await Promise.all(lanes);
  return result;
}

const headOf = (seq: number) => encodeHead({ ...EMPTY_HEAD, seq });

function print(what: string, { perSecond, cpuUs }: Measured): void {
  console.log(
    `${what.padEnd(44)} ${perSecond.toFixed(0).padStart(6)}/s ${cpuUs.toFixed(0).padStart(6)} µs CPU`,
  );
}

/** Each lane appends to a thread of its own, a row of 512 entries after the other. */
function appending(store: MessageStore): (lane: number) => Promise<unknown> {
  const lanes = new Map<number, { row: RowKey; seq: number }>();
  return async (lane) => {
    const at = lanes.get(lane);
    const { row, seq } = at && at.seq < 512 ? at : { row: { threadId: randomBytes(16), bucket: 0 }, seq: 0 };
    const entry = { seq: seq + 1, tag: new Uint8Array(8), value: VALUE };
    const isDone = await store.checkAndPut(row, seq === 0 ? undefined : headOf(seq), headOf(seq + 1), [
      entry,
    ]);
    if (!isDone) throw new Error("another won, and there is none");
    lanes.set(lane, { row, seq: seq + 1 });
  };
}

async function measureDriver(quorum: string, driver: DriverName): Promise<void> {
  const init = { quorum, table: `measure-${driver}`, driver, waitMs: 60_000, callMs: 30_000 };
  const messages = await HbaseMessages.open({ ...init, clock: systemClock });
  const { store } = messages;
  for (const inFlight of [1, 16, 128])
    print(`${driver}: appends, ${inFlight} in flight`, await measured(inFlight, appending(store)));
  const row = { threadId: randomBytes(16), bucket: 0 };
  const entries = Array.from({ length: PAGE }, (_, at) => ({
    seq: at + 1,
    tag: new Uint8Array(8),
    value: VALUE,
  }));
  await store.checkAndPut(row, undefined, headOf(PAGE), entries);
  const page = { head: true, entries: { fromSeq: 1, toSeq: PAGE } };
  print(`${driver}: heads, 16 in flight`, await measured(16, () => store.get(row, { head: true })));
  print(`${driver}: head and page of ${PAGE}, 16 in flight`, await measured(16, () => store.get(row, page)));
  await messages.close();
}

setInterval(() => {}, 60_000); // The clock's timers keep no process alive.
const quorum = process.argv[2] ?? (await hbaseServer()).quorum;
for (const driver of DRIVER_NAMES) await measureDriver(quorum, driver);
process.exit(0);
