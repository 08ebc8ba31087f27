import { Client, type ClientConfig, Pool, type PoolClient, types } from "pg";
import { type Clock, systemClock } from "../../base/clock.ts";
import { HeddleError, overloaded, storeUnavailable } from "../../base/heddle-error.ts";

export interface PostgresPoolInit {
  /** postgres://user:password@host:port/database, or the folder of a Unix socket as `host`. */
  readonly database: string | { readonly host: string; readonly user: string; readonly database: string };
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
  /** Of deadlines. The machine's but in tests. */
  readonly clock?: Clock;
}

/** The database stops a statement this much before the caller stops waiting, so that its own word comes first, in ms. */
const MARGIN_MS = 250;

/** What a call costs in memory beyond its bytes. */
const CALL_BYTES = 1_024;

/** When to try again after OVERLOADED, in ms. */
const RETRY_AFTER_MS = 200;

/** Type numbers of Postgres. */
const INT8 = 20;
const BYTEA = 17;

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
  readonly #config: ClientConfig;
  readonly #init: Required<Omit<PostgresPoolInit, "database" | "maxConnections">>;
  readonly #running = new Set<Running>();
  #bytes = 0;

  constructor(init: PostgresPoolInit) {
    const { database, maxConnections = 10, callMs = 3_000, name } = init;
    const { maxWaiting = 1_000, maxQueuedBytes = 64 * 1024 * 1024, migrateMs = 60_000 } = init;
    this.#init = { name, callMs, maxWaiting, maxQueuedBytes, migrateMs, clock: init.clock ?? systemClock };
    this.#config = {
      ...(typeof database === "string" ? { connectionString: database } : database),
      // What is answered is synced, whatever the server's configuration says.
      options: "-c synchronous_commit=on",
      types: { getTypeParser: parserOf as typeof types.getTypeParser },
    };
    this.#pool = new Pool({
      ...this.#config,
      max: maxConnections,
      connectionTimeoutMillis: callMs,
      statement_timeout: callMs - MARGIN_MS,
      lock_timeout: callMs - MARGIN_MS,
      allowExitOnIdle: true,
      pipeline: true,
    });
    this.#pool.on("error", () => {}); // Of an idle connection: the next call opens another.
  }

  /** Rows of one statement, which is its own transaction. `bytes` is what its values take. */
  rows<R extends object>(
    statement: Prepared,
    values: readonly unknown[],
    bytes: number,
  ): Promise<readonly R[]> {
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
      const limits = `SET LOCAL statement_timeout = ${deadlineMs}; SET LOCAL lock_timeout = ${deadlineMs}`;
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
      const client = await this.#pool.connect();
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
    const { name, callMs, migrateMs } = this.#init;
    const client = new Client({
      ...this.#config,
      connectionTimeoutMillis: callMs,
      query_timeout: migrateMs,
      statement_timeout: migrateMs - MARGIN_MS,
      lock_timeout: migrateMs - MARGIN_MS,
    });
    client.on("error", () => {}); // The query under way is told of it.
    try {
      await client.connect();
      await migrate(client, schema, steps);
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

async function migrate(client: Client, schema: string, steps: readonly string[]): Promise<void> {
  await client.query("BEGIN");
  await client.query("SELECT pg_advisory_xact_lock(hashtext('heddle-migrations'))");
  await client.query("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, steps int NOT NULL)");
  const had = await client.query<{ steps: number }>("SELECT steps FROM migration WHERE name = $1", [schema]);
  const done = had.rows[0]?.steps ?? 0;
  if (done > steps.length)
    throw new Error(`the tables of ${schema} were made by a newer Heddle: start that one`);
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

/** Numbers are exact up to 2^53 − 1, above what any column holds. Bytes are plain arrays, as every store hands them out. */
function parserOf(type: number, format?: "text" | "binary"): unknown {
  if (type === INT8) return Number;
  if (type === BYTEA) return (text: string) => plainBytes(Buffer.from(text.slice(2), "hex"));
  return types.getTypeParser(type, format as "text");
}

function plainBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
