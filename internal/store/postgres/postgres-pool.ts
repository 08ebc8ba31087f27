import { type ClientBase, Pool, type PoolClient } from "pg";
import { type Clock, systemClock } from "../../base/clock.ts";
import { HeddleError, overloaded, storeUnavailable } from "../../base/heddle-error.ts";
import { connectionConfig, type DatabaseAddress } from "./connection-config.ts";
import { PostgresClient } from "./postgres-client.ts";
import { ERA } from "./thread-schema.ts";

export interface PostgresPoolInit {
  readonly database: DatabaseAddress;
  /** Connections at a time. Default 10. */
  readonly maxConnections?: number;
  /** Calls that wait for a connection; beyond, RESOURCE_EXHAUSTED / OVERLOADED. Default 1,000. */
  readonly maxWaiting?: number;
  /**
   * Bytes of calls that wait or are under way, with what has come of their rows; beyond, RESOURCE_EXHAUSTED / OVERLOADED.
   * Default 64 MiB. One call alone may take more.
   */
  readonly maxQueuedBytes?: number;
  /** How long a call may take, the wait for a connection included, in ms. Default 3,000. */
  readonly callMs?: number;
  /** How long migrations may take, the wait for another program's included, in ms. Default 60,000. */
  readonly migrateMs?: number;
  /** Which store errors speak of. */
  readonly name: "message" | "thread";
  /** A pooler between gives each transaction another connection: what is set for one must be set in each. */
  readonly isPooled?: boolean;
  /** Of deadlines. The machine's but in tests. */
  readonly clock?: Clock;
}

/** The database stops a statement this much before the caller stops waiting, so that its own word comes first, in ms. */
const MARGIN_MS = 250;

/** What a call costs in memory beyond its bytes. */
const CALL_BYTES = 1_024;

/** When to try again after OVERLOADED, in ms. */
const RETRY_AFTER_MS = 200;

/** What is answered is synced, whatever the server's configuration says. */
const SYNCED = "synchronous_commit = on";

/** A statement that each connection prepares once, by its name. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/**
 * How a transaction begins. The database ends a statement of it by the call's own deadline. A snapshot is that of its first
 * statement; a write sees in each statement what others have committed before it, so after a lock what was waited for.
 */
const BEGIN = {
  snapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
  write: "BEGIN ISOLATION LEVEL READ COMMITTED",
} as const;

const COMMIT: Prepared = { name: "commit", text: "COMMIT" };
const ROLLBACK: Prepared = { name: "rollback", text: "ROLLBACK" };

/** Runs one statement of a call. */
export type RunStatement = <R extends object>(
  statement: Prepared,
  values: readonly unknown[],
) => Promise<{ readonly rows: readonly R[]; readonly changed: number }>;

/** A call that has a connection, and how much had come on it before. */
interface Running {
  readonly client: PoolClient;
  readonly readBefore: number;
}

/**
 * Connections to one Postgres. A connection that fails in any way is closed, and the next call opens another: so the
 * pool comes back by itself after a restart of the database. A call that fails once it was sent may have been applied.
 */
export class PostgresPool {
  readonly #pool: Pool;
  readonly #init: Required<Omit<PostgresPoolInit, "maxConnections">>;
  readonly #running = new Set<Running>();
  #bytes = 0;
  #era: number | undefined;

  constructor(init: PostgresPoolInit) {
    const { database, maxConnections = 10, callMs = 3_000, name, isPooled = false } = init;
    const { maxWaiting = 1_000, maxQueuedBytes = 64 * 1024 * 1024, migrateMs = 60_000 } = init;
    const { clock = systemClock } = init;
    this.#init = { database, name, callMs, maxWaiting, maxQueuedBytes, migrateMs, isPooled, clock };
    this.#pool = new Pool({
      ...connectionConfig(database),
      Client: PostgresClient,
      max: maxConnections,
      connectionTimeoutMillis: callMs,
      allowExitOnIdle: true,
      pipeline: true,
      onConnect: (client) => this.#prepare(client as PoolClient),
    });
    this.#pool.on("error", () => {}); // Of an idle connection: the next call opens another.
  }

  /**
   * From now on a connection to rows of another history is refused: a standby that was promoted must not be taken for
   * what was there before. `era`: see postgres-history.ts. Not told of are changes behind a pooler.
   */
  demandEra(era: number): void {
    this.#era = era;
  }

  /** Rows of one statement, which is its own transaction. `bytes` is what its values take. */
  rows<R extends object>(
    statement: Prepared,
    values: readonly unknown[],
    bytes: number,
  ): Promise<readonly R[]> {
    const { isPooled } = this.#init;
    if (isPooled)
      return this.transaction("write", bytes, async (run) => (await run<R>(statement, values)).rows);
    return this.#call(bytes, async (run) => (await run<R>(statement, values)).rows);
  }

  /** Does work in one transaction. `bytes` is what it takes while it waits. A HeddleError of the work takes it back. */
  transaction<T>(
    kind: keyof typeof BEGIN,
    bytes: number,
    work: (run: RunStatement) => Promise<T>,
  ): Promise<T> {
    return this.#call(bytes, async (run, leftMs, client) => {
      const deadlineMs = Math.max(1, leftMs - MARGIN_MS);
      const limits =
        limitedTo(deadlineMs, "SET LOCAL") + (this.#init.isPooled ? `; SET LOCAL ${SYNCED}` : "");
      // Sent together with the first statement. If it fails, so does that.
      const begun = client.query(`${BEGIN[kind]}; ${limits}`);
      begun.catch(() => {});
      try {
        const result = await work(run);
        await begun;
        const ended = run(COMMIT, []);
        // Of a read nobody waits for it: what comes next on the connection is sent behind it.
        if (kind === "snapshot") ended.catch(() => {});
        else await ended;
        return result;
      } catch (error) {
        if (error instanceof HeddleError) await run(ROLLBACK, []);
        throw error;
      }
    });
  }

  /** Runs the steps of `work` with one connection, as one call: within its deadline, counted until it ends. */
  async #call<T>(
    bytes: number,
    work: (run: RunStatement, leftMs: number, client: PoolClient) => Promise<T>,
  ): Promise<T> {
    const { name, clock, callMs } = this.#init;
    const cost = bytes + CALL_BYTES;
    this.#admit(cost);
    this.#bytes += cost;
    const endMs = clock.monotonicMs() + callMs;
    let running: Running | undefined;
    try {
      const client = await this.#connect();
      running = { client, readBefore: readBytes(client) };
      this.#running.add(running);
      const leftMs = () => {
        const left = Math.floor(endMs - clock.monotonicMs());
        if (left <= 0) throw new Error(`no answer within ${callMs} ms`);
        return left;
      };
      const run: RunStatement = async (statement, values) => {
        const query = { ...statement, values: [...values], query_timeout: leftMs() };
        const { rows, rowCount } = await client.query(query);
        return { rows, changed: rowCount ?? 0 };
      };
      const result = await work(run, leftMs(), client);
      client.release();
      return result;
    } catch (error) {
      const isOurs = error instanceof HeddleError;
      running?.client.release(!isOurs); // Closed: what it did not finish is taken back.
      throw isOurs ? error : storeUnavailable(name, error);
    } finally {
      if (running) this.#running.delete(running);
      this.#bytes -= cost;
    }
  }

  /** A connection, within the deadline of a call also where the server takes a new one and then says nothing. */
  async #connect(): Promise<PoolClient> {
    const { clock, callMs } = this.#init;
    const coming = this.#pool.connect();
    if (this.#pool.idleCount > 0) return coming;
    let cancel = () => {};
    const late = new Promise<undefined>((resolve) => {
      cancel = clock.after(callMs, () => resolve(undefined));
    });
    const client = await Promise.race([coming, late]).finally(() => cancel());
    if (client) return client;
    coming.then(
      (unused) => unused.release(),
      () => {},
    );
    throw new Error(`no connection within ${callMs} ms`);
  }

  /** Makes a new connection fit for calls. Rejects where it leads to a server that must not be used. */
  async #prepare(client: PoolClient): Promise<void> {
    const { callMs, isPooled } = this.#init;
    const limits = `SET ${SYNCED}; ${limitedTo(callMs - MARGIN_MS, "SET")}`;
    // Kept by the connection to the pooler, it would be another's.
    if (!isPooled) await client.query(within(callMs, limits));
    const era = this.#era === undefined ? "0::bigint" : ERA;
    const text = `SELECT pg_is_in_recovery() AS is_standby, ${era} AS era`;
    const { rows } = await client.query<{ is_standby: boolean; era: number }>(within(callMs, text));
    const [at] = rows;
    if (!at || at.is_standby) throw new Error("this server is a standby");
    if (this.#era !== undefined && at.era !== this.#era)
      throw new Error("the rows are of another history: a standby was promoted, or a copy put back");
  }

  #admit(cost: number): void {
    const { name, maxWaiting, maxQueuedBytes } = this.#init;
    let held = this.#bytes;
    for (const { client, readBefore } of this.#running) held += readBytes(client) - readBefore;
    const isFull = held > 0 && held + cost > maxQueuedBytes;
    if (isFull || this.#pool.waitingCount >= maxWaiting) throw overloaded(`${name} store`, RETRY_AFTER_MS);
  }

  /**
   * Runs the steps of `schema` that the database has not had, in one transaction under a lock of the database: of several
   * programs that start at once one migrates and the others wait for it. On a connection of its own, whose deadline is longer.
   */
  async migrate(schema: string, steps: readonly string[]): Promise<void> {
    const { database, name, callMs, migrateMs } = this.#init;
    const client = new PostgresClient({
      ...connectionConfig(database),
      connectionTimeoutMillis: callMs,
      query_timeout: migrateMs,
    });
    try {
      await client.connect();
      await migrate(client, schema, steps, migrateMs - MARGIN_MS);
    } catch (error) {
      throw storeUnavailable(name, error);
    } finally {
      await client.end(); // Which takes back what was not committed.
    }
  }

  /** Closes the connections when calls under way have ended; later calls reject. */
  close(): Promise<void> {
    return this.#pool.end();
  }
}

/** Bounds of statements, in ms, for a transaction or a connection. */
function limitedTo(deadlineMs: number, set: "SET" | "SET LOCAL"): string {
  return `${set} statement_timeout = ${deadlineMs}; ${set} lock_timeout = ${deadlineMs}`;
}

/** A statement for which the caller waits so long, in ms. Not in pg's types. */
function within(queryMs: number, text: string): { readonly text: string } {
  return { text, ...{ query_timeout: queryMs } };
}

/** A newer program has brought the tables up to date. */
export class NewerTables extends Error {
  constructor(schema: string) {
    super(`the tables of ${schema} were made by a newer Heddle: start that one`);
  }
}

async function migrate(
  client: ClientBase,
  schema: string,
  steps: readonly string[],
  deadlineMs: number,
): Promise<void> {
  await client.query(`BEGIN; SET LOCAL ${SYNCED}; ${limitedTo(deadlineMs, "SET LOCAL")}`);
  await client.query("SELECT pg_advisory_xact_lock(hashtext('heddle-migrations'))");
  await client.query("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, steps int NOT NULL)");
  const had = await client.query<{ steps: number }>("SELECT steps FROM migration WHERE name = $1", [schema]);
  const done = had.rows[0]?.steps ?? 0;
  if (done > steps.length) throw new NewerTables(schema);
  for (const step of steps.slice(done)) await client.query(step);
  const note =
    "INSERT INTO migration VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET steps = excluded.steps";
  await client.query(note, [schema, steps.length]);
  await client.query("COMMIT");
}

/** What has come on a connection since it was opened. Not in pg's types. */
function readBytes(client: PoolClient): number {
  return (client as unknown as { connection: { stream: { bytesRead: number } } }).connection.stream.bytesRead;
}
