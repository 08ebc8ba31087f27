import { Pool, type PoolConfig, types } from "pg";
import { overloaded, storeUnavailable } from "../../base/heddle-error.ts";

export interface PostgresPoolInit {
  /** postgres://user:password@host:port/database, or the folder of a Unix socket as `host`. */
  readonly database: string | { readonly host: string; readonly user: string; readonly database: string };
  /** Connections at a time. Default 10. */
  readonly maxConnections?: number;
  /** Bytes of calls that wait or are under way; beyond, RESOURCE_EXHAUSTED / OVERLOADED. Default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /** How long a call may take, the wait for a connection included twice at most, in ms. Default 3,000. */
  readonly callMs?: number;
  /** Which store errors speak of. */
  readonly name: "message" | "thread";
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
 * Connections to one Postgres. A connection that fails in any way is closed, and the next call opens another: so the
 * pool comes back by itself after a restart of the database. A call that fails once it was sent may have been applied.
 */
export class PostgresPool {
  readonly #pool: Pool;
  readonly #init: PostgresPoolInit;
  #bytes = 0;

  constructor(init: PostgresPoolInit) {
    this.#init = init;
    const { database, maxConnections = 10, callMs = 3_000 } = init;
    const where: PoolConfig = typeof database === "string" ? { connectionString: database } : database;
    this.#pool = new Pool({
      ...where,
      max: maxConnections,
      connectionTimeoutMillis: callMs,
      query_timeout: callMs,
      statement_timeout: callMs - MARGIN_MS,
      lock_timeout: callMs - MARGIN_MS,
      // What is answered is synced, whatever the server's configuration says.
      options: "-c synchronous_commit=on",
      types: { getTypeParser: parserOf as typeof types.getTypeParser },
      allowExitOnIdle: true,
    });
    this.#pool.on("error", () => {}); // Of an idle connection: the next call opens another.
  }

  /** Rows of one statement, which is its own transaction. `bytes` is what its values take. */
  async rows<R extends object>(
    statement: Prepared,
    values: readonly unknown[],
    bytes: number,
  ): Promise<readonly R[]> {
    const cost = bytes + CALL_BYTES;
    const { maxQueuedBytes = 64 * 1024 * 1024, name } = this.#init;
    if (this.#bytes > 0 && this.#bytes + cost > maxQueuedBytes)
      throw overloaded(`${name} store`, RETRY_AFTER_MS);
    this.#bytes += cost;
    try {
      return (await this.#pool.query<R>({ ...statement, values: [...values] })).rows;
    } catch (error) {
      throw storeUnavailable(name, error);
    } finally {
      this.#bytes -= cost;
    }
  }

  /**
   * Runs the steps of `schema` that the database has not had, in one transaction under a lock of the database: of several
   * programs that start at once one migrates and the others wait for it, within the deadline of a call.
   */
  async migrate(schema: string, steps: readonly string[]): Promise<void> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw storeUnavailable(this.#init.name, error);
    });
    try {
      await client.query("BEGIN");
      await client.query("SELECT pg_advisory_xact_lock(hashtext('heddle-migrations'))");
      await client.query("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, steps int NOT NULL)");
      const had = await client.query<{ steps: number }>("SELECT steps FROM migration WHERE name = $1", [
        schema,
      ]);
      const done = had.rows[0]?.steps ?? 0;
      if (done > steps.length)
        throw new Error(`the tables of ${schema} were made by a newer Heddle: start that one`);
      for (const step of steps.slice(done)) await client.query(step);
      const note =
        "INSERT INTO migration VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET steps = excluded.steps";
      await client.query(note, [schema, steps.length]);
      await client.query("COMMIT");
      client.release();
    } catch (error) {
      client.release(true); // Closed, which takes back what was done.
      throw storeUnavailable(this.#init.name, error);
    }
  }

  /** Closes the connections when calls under way have ended; later calls reject. */
  close(): Promise<void> {
    return this.#pool.end();
  }
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
