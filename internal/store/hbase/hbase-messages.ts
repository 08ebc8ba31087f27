import { randomInt } from "node:crypto";
import { type Clock, sleep } from "../../base/clock.ts";
import { DatabaseError } from "../database-error.ts";
import type { StoreWatch } from "../store-watch.ts";
import { HbaseMaster } from "./cluster/hbase-master.ts";
import { HbaseTable } from "./cluster/hbase-table.ts";
import { type Quorum, quorumText, readQuorum } from "./cluster/quorum.ts";
import { ServerLinks } from "./cluster/server-links.ts";
import { type DriverName, driverNamed } from "./drivers.ts";
import { HbaseMessageStore } from "./hbase-message-store.ts";
import { look, tableId } from "./table-id.ts";
import { splitKeys, strangeness, TABLE_SHAPE, weakness } from "./table-shape.ts";
import { type FindRoute, namedRoute } from "./wall/driver.ts";
import { HbaseError } from "./wall/hbase-error.ts";

export interface HbaseMessagesInit {
  /** ZooKeeper's servers: "host:port,host:port", with "/root" where HBase's is not /hbase. */
  readonly quorum: string;
  readonly table: string;
  readonly driver: DriverName;
  /** How long an HBase that is away is waited for, in ms. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly watch?: StoreWatch;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** Into how many regions a table that we make is cut. Default 16. */
  readonly regions?: number;
  /** How long a call may take with all its repetitions, in ms. Default 3,000. */
  readonly callMs?: number;
  /** Tests lead connections elsewhere. */
  readonly findRoute?: FindRoute;
  /** The number of a table that has none yet. Random but in tests. */
  readonly newTableId?: () => number;
}

/** Between tries to open: doubled from the first to the last, in ms. */
const RETRY_MS = { first: 250, last: 2_000 };

/** So long a table that another program is making may take to serve, in ms. */
const MAKING_MS = 30_000;

/** How often it is looked whether HBase serves, in ms. */
const LOOK_MS = 1_000;

/** What calls under way and partial answers may hold, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * The message log in one table of HBase, with what a program needs around it: waited for, made where it is missing, refused
 * where it is another's, looked at every second.
 */
export class HbaseMessages {
  readonly store: HbaseMessageStore;
  /** What a power cut may do to what was answered, and the mend, in a sentence; undefined where it does nothing. */
  readonly weakness: string | undefined;
  /** The number of the table, 1 … 2^47: the owner of the rows notes it, and takes no other table. */
  readonly tableId: number;
  readonly #init: HbaseMessagesInit;
  readonly #parts: Parts;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #trouble: string | undefined;

  private constructor(init: HbaseMessagesInit, parts: Parts, id: number) {
    this.#init = init;
    this.#parts = parts;
    this.store = parts.store;
    this.tableId = id;
    this.weakness = parts.weak;
    this.#running = this.#run();
  }

  /** Waits for HBase, makes the table where it is missing. Rejects with DatabaseError. */
  static async open(init: HbaseMessagesInit): Promise<HbaseMessages> {
    const { watch, newTableId = () => randomInt(1, 2 ** 47) } = init;
    const parts = partsOf(init);
    try {
      await untilOpen(init, parts);
      if (parts.weak) watch?.noticed?.(parts.weak);
      return new HbaseMessages(init, parts, await tableId(parts.table, newTableId()));
    } catch (error) {
      parts.close();
      throw problemOf(parts.place, error);
    }
  }

  /** Undefined while it serves, else why not. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Ends every connection; calls under way reject. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#parts.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, watch } = this.#init;
    const { signal } = this.#stop;
    for (;;) {
      await sleep(clock, LOOK_MS, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        await look(this.#parts.table);
        if (this.#trouble !== undefined) watch?.recovered();
        this.#trouble = undefined;
      } catch (error) {
        if (signal.aborted) return;
        const { message } = problemOf(this.#parts.place, error);
        if (this.#trouble === undefined) watch?.failed(new Error(message));
        this.#trouble = message;
      }
    }
  }
}

/** What is open before it is known whether the table can be used. */
interface Parts {
  readonly place: string;
  readonly master: HbaseMaster;
  readonly table: HbaseTable;
  readonly store: HbaseMessageStore;
  /** What a power cut may do, once it is known. */
  weak: string | undefined;
  close(): void;
}

function partsOf(init: HbaseMessagesInit): Parts {
  const { table: name, driver, clock, findRoute = namedRoute, callMs = 3_000 } = init;
  const quorum = quorumOf(init);
  const links = new ServerLinks({ driver: driverNamed(driver), findRoute, clock });
  const table = new HbaseTable({ table: name, quorum, links, clock, callMs, maxBytes: MAX_BYTES });
  return {
    place: quorumText(quorum),
    master: new HbaseMaster({ quorum, findRoute, clock }),
    table,
    store: new HbaseMessageStore(table),
    weak: undefined,
    close: () => {
      table.close();
      links.close();
    },
  };
}

function quorumOf({ quorum, table }: HbaseMessagesInit): Quorum {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/.test(table))
    throw new DatabaseError(
      `"${table}" is no name of a table: write letters and digits in HEDDLE_HBASE_TABLE`,
    );
  try {
    return readQuorum(quorum);
  } catch (error) {
    throw new DatabaseError(`HEDDLE_HBASE_QUORUM: ${(error as Error).message}`, { cause: error });
  }
}

async function untilOpen(init: HbaseMessagesInit, parts: Parts): Promise<void> {
  const { clock, waitMs, watch, signal } = init;
  let endMs = clock.monotonicMs() + waitMs;
  let wasThere = false;
  for (let pauseMs = RETRY_MS.first; ; pauseMs = Math.min(2 * pauseMs, RETRY_MS.last)) {
    let isThere = false;
    try {
      isThere = await ensureTable(init, parts);
      await look(parts.table);
      return;
    } catch (error) {
      const problem = problemOf(parts.place, error);
      // A table that is there and does not serve is being made, or opened, by another program at this moment.
      if (isThere && !wasThere) endMs = Math.max(endMs, clock.monotonicMs() + MAKING_MS);
      wasThere ||= isThere;
      if (!(problem.isAway || isThere) || clock.monotonicMs() + pauseMs > endMs) throw problem;
      if (pauseMs === RETRY_MS.first) watch?.noticed?.(`waited for: ${problem.message}`);
      await sleep(clock, pauseMs, signal).catch(() => {
        throw new DatabaseError("stopped before HBase answered", { isAway: true });
      });
    }
  }
}

/** Looks at the table, makes it where it is missing. Rejects with DatabaseError where it is another's. */
async function ensureTable(init: HbaseMessagesInit, parts: Parts): Promise<boolean> {
  const { table, regions = 16, watch } = init;
  let found = await parts.master.describe(table);
  if (!found) {
    watch?.progress?.(`making the table ${table} in HBase, in ${regions} regions`);
    await parts.master.createTable(table, TABLE_SHAPE, splitKeys(regions)).catch((error) => {
      // Another program was quicker.
      if (HbaseError.from(error).kind !== "TableExistsException") throw error;
    });
    found = await parts.master.describe(table);
    if (!found) throw new HbaseError("retry", "making", `the table ${table} is being made`);
  }
  const strange = strangeness(found);
  if (strange) {
    const how = "name a table of Heddle's own in HEDDLE_HBASE_TABLE: it is made where it is missing";
    throw new DatabaseError(`HBase at ${parts.place}: the table ${table} ${strange}: ${how}`);
  }
  parts.weak = weakness(table, found);
  return true;
}

/** Why HBase cannot be used, in one line with what to do. */
function problemOf(place: string, error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const problem = HbaseError.from((error as { cause?: unknown }).cause ?? error);
  const isAway = problem.reaction !== "refused";
  const how = isAway ? "start it, or mend HEDDLE_HBASE_QUORUM" : "see docs/hbase.md";
  return new DatabaseError(`HBase at ${place} cannot be used (${problem.message}): ${how}`, {
    isAway,
    cause: problem,
  });
}
