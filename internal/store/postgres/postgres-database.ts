import { type Clock, sleep } from "../../base/clock.ts";
import { DatabaseError } from "../database-error.ts";
import type { StoreWatch } from "../store-watch.ts";
import { type DatabaseAddress, readAddress } from "./connection-config.ts";
import { DatabaseHold, type HoldKind } from "./database-hold.ts";
import { isPooledByTransaction } from "./pooler.ts";
import { PostgresMessageStore } from "./postgres-message-store.ts";
import { PostgresPool } from "./postgres-pool.ts";
import { PostgresThreadStore } from "./postgres-thread-store.ts";
import { startProblem } from "./start-problem.ts";

export interface PostgresDatabaseInit {
  readonly database: DatabaseAddress;
  /** How long a database that is away is waited for, in ms. */
  readonly waitMs: number;
  /** Whether it is this program's alone, or that of all programs of a mesh. */
  readonly hold: HoldKind;
  /** Connections that each of its two pools may open; the pool's default without it. */
  readonly maxConnections?: number;
  readonly clock: Clock;
  readonly watch?: StoreWatch;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** Between tries to connect: doubled from the first to the last, in ms. */
const RETRY_MS = { first: 250, last: 2_000 };

/** How long another program may take to let go: so late the server notices that its machine is gone, and some, in ms. */
const HELD_MS = 20_000;

/** How often it is looked whether the database serves, in ms. */
const LOOK_MS = 1_000;

const NOTHING = { name: "database-look", text: "SELECT 1" };

/**
 * Rows and messages in one Postgres, which this program serves alone, or all programs of a mesh do. It looks every second whether the database serves, and
 * whether it is still the same history: of another one nothing that the program remembers is true, so it has to start anew.
 */
export class PostgresDatabase {
  readonly messages: PostgresMessageStore;
  readonly rows: PostgresThreadStore;
  /** What it is and where, without secrets. */
  readonly engine: string;
  /** Resolves to why the program has to start anew, in a sentence; never if it need not. */
  readonly over: Promise<string>;
  readonly #init: PostgresDatabaseInit;
  readonly #place: string;
  readonly #parts: Parts;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #end: (why: string) => void = () => {};
  #hold: DatabaseHold;
  #trouble: string | undefined;

  private constructor(init: PostgresDatabaseInit, place: string, parts: Parts) {
    this.#init = init;
    this.#place = place;
    this.#parts = parts;
    this.#hold = parts.hold;
    this.messages = parts.messages;
    this.rows = parts.rows;
    this.engine = parts.engine;
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#running = this.#run();
  }

  /** Waits for the database, takes it, makes its tables. Rejects with DatabaseError. */
  static async open(init: PostgresDatabaseInit): Promise<PostgresDatabase> {
    const { address, place } = readAddress(init.database);
    const read = { ...init, database: address };
    const closes: (() => Promise<unknown>)[] = [];
    try {
      return new PostgresDatabase(read, place, await openParts(read, place, closes));
    } catch (error) {
      for (const close of closes.toReversed()) await close();
      throw startProblem(place, error);
    }
  }

  /** Undefined while it serves, else why not. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The id of the deployment whose data this is: `mine` where there was none, if one is given. 16 bytes. */
  async deployment(mine?: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      return await this.rows.deployment(mine);
    } catch (error) {
      throw startProblem(this.#place, error);
    }
  }

  /** Which history its rows are of: another one ends the program. */
  get era(): number {
    return this.#parts.era;
  }

  /** The number that the deployment's rows keep by that name: `mine` where there was none. */
  async kept(name: string, mine: number): Promise<number> {
    try {
      return await this.rows.kept(name, mine);
    } catch (error) {
      throw startProblem(this.#place, error);
    }
  }

  /** Ends every connection, once the calls under way have ended. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.rows.flush();
    await this.#parts.close();
    await this.#hold.release();
  }

  async #run(): Promise<void> {
    const { clock, watch } = this.#init;
    const { signal } = this.#stop;
    for (;;) {
      await sleep(clock, LOOK_MS, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#look();
        if (this.#trouble !== undefined) watch?.recovered();
        this.#trouble = undefined;
      } catch (error) {
        const { message } = startProblem(this.#place, error);
        if (this.#trouble === undefined) watch?.failed(new Error(message));
        this.#trouble = message;
      }
    }
  }

  async #look(): Promise<void> {
    if (this.#hold.isLost) await this.#takeAgain();
    const era = await this.#hold.era();
    if (era !== this.#parts.era)
      this.#end("the database is of another history: a standby was promoted, or a copy was put back");
    await this.#parts.messagePool.rows(NOTHING, [], 0);
  }

  async #takeAgain(): Promise<void> {
    await this.#hold.release();
    const { hold } = await DatabaseHold.connect(this.#init.database, this.#place);
    this.#hold = hold;
    const holder = await hold.take(this.#init.hold);
    if (holder === undefined) return;
    await hold.release();
    this.#end(`another Heddle serves this database now (${holder})`);
    throw new DatabaseError(`another Heddle serves this database (${holder})`);
  }
}

/** What an open database is made of. */
interface Parts {
  readonly hold: DatabaseHold;
  readonly messagePool: PostgresPool;
  readonly messages: PostgresMessageStore;
  readonly rows: PostgresThreadStore;
  readonly engine: string;
  readonly era: number;
  close(): Promise<unknown>;
}

async function openParts(
  init: PostgresDatabaseInit,
  place: string,
  closes: (() => Promise<unknown>)[],
): Promise<Parts> {
  const { database, clock, watch, maxConnections } = init;
  const { hold, facts } = await firstHold(init, place);
  closes.push(() => hold.release());
  if (!facts.is_synced)
    watch?.noticed?.("fsync or full_page_writes is off: a power cut loses what was answered");
  await takeAtStart(hold, init, place);
  const isPooled = await isPooledByTransaction(database, place);
  const pools = (["message", "thread"] as const).map(
    (name) =>
      new PostgresPool({ name, database, isPooled, clock, ...(maxConnections && { maxConnections }) }),
  );
  const [messagePool, threadPool] = pools as [PostgresPool, PostgresPool];
  const close = () => Promise.all(pools.map((pool) => pool.close()));
  closes.push(close);
  const messages = await PostgresMessageStore.open(messagePool);
  const rows = await PostgresThreadStore.open(threadPool, clock);
  const era = await hold.era();
  for (const pool of pools) pool.demandEra(era);
  const engine = `Postgres ${facts.version_name.split(" ")[0]} at ${place}${isPooled ? ", pooled" : ""}`;
  return { hold, messagePool, messages, rows, engine, era, close };
}

/** The first connection, once the database answers. */
async function firstHold(init: PostgresDatabaseInit, place: string) {
  const { database, waitMs, clock, watch, signal } = init;
  const endMs = clock.monotonicMs() + waitMs;
  let pauseMs = RETRY_MS.first;
  for (;;) {
    try {
      return await DatabaseHold.connect(database, place);
    } catch (error) {
      const problem = startProblem(place, error);
      if (!problem.isAway || clock.monotonicMs() + pauseMs > endMs) throw problem;
      if (pauseMs === RETRY_MS.first) watch?.noticed?.(`waited for: ${problem.message}`);
      await sleep(clock, pauseMs, signal).catch(() => {
        throw new DatabaseError("stopped before the database answered", { isAway: true });
      });
      pauseMs = Math.min(2 * pauseMs, RETRY_MS.last);
    }
  }
}

async function takeAtStart(hold: DatabaseHold, init: PostgresDatabaseInit, place: string): Promise<void> {
  const { clock, waitMs, signal } = init;
  const endMs = clock.monotonicMs() + Math.min(HELD_MS, waitMs);
  for (;;) {
    const holder = await hold.take(init.hold);
    if (holder === undefined) return;
    if (clock.monotonicMs() + RETRY_MS.first > endMs) {
      const how = "stop that one, or name a database of its own in HEDDLE_DATABASE_URL";
      throw new DatabaseError(`another Heddle serves the database at ${place} (${holder}): ${how}`);
    }
    await sleep(clock, RETRY_MS.first, signal).catch(() => {
      throw new DatabaseError("stopped while another Heddle served the database", { isAway: true });
    });
  }
}
