import type { Client } from "pg";
import { DatabaseError } from "../database-error.ts";
import { connectionConfig, type DatabaseAddress } from "./connection-config.ts";
import { PostgresClient } from "./postgres-client.ts";
import { ERA } from "./thread-schema.ts";

/** What the connection is waited for, to open and for each answer, in ms. */
const ANSWER_MS = 3_000;

/** The oldest that has what the tables need. */
const OLDEST = { number: 150_000, name: "15" };

/** What a server is, so far as a start cares. */
interface ServerFacts {
  readonly version: number;
  readonly version_name: string;
  readonly encoding: string;
  readonly is_standby: boolean;
  readonly is_synced: boolean;
}

const FACTS = `SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_name,
  current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS is_standby,
  current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS is_synced`;

/**
 * A transaction that is open for as long as the program runs, whatever the role's or the server's settings are. That the
 * program's machine is gone is noticed after 16 s.
 */
const OPEN = `BEGIN;
  SET LOCAL tcp_keepalives_idle = 10; SET LOCAL tcp_keepalives_interval = 2; SET LOCAL tcp_keepalives_count = 3;
  SELECT set_config(name, '0', true) FROM pg_settings
  WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`;

/** A number of ours among a database's advisory locks. */
const LOCK = "hashtext('heddle-program')";

/** Who has the lock. Roles see what their own sessions are. */
const HOLDER = `SELECT pid, coalesce(host(client_addr), 'a Unix socket') AS address, backend_start::timestamp(0)::text AS since
  FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND objid = ${LOCK}::bit(32)::bigint::oid LIMIT 1`;

/** Whether a program is the only one on its database, or one of a mesh that all are. */
export type HoldKind = "alone" | "together";

const TAKE: Readonly<Record<HoldKind, string>> = {
  alone: `SELECT pg_try_advisory_xact_lock(${LOCK}) AS is_taken`,
  together: `SELECT pg_try_advisory_xact_lock_shared(${LOCK}) AS is_taken`,
};

/**
 * The one connection by which a program holds a database, alone or together with others that do: a lock in a transaction
 * that stays open, which a pooler by transaction keeps too. It holds up no vacuum, for it has no snapshot between its
 * statements.
 */
export class DatabaseHold {
  readonly #client: Client;
  #isLost = false;

  private constructor(client: Client) {
    this.#client = client;
    client.on("error", () => {
      this.#isLost = true;
    });
    client.on("end", () => {
      this.#isLost = true;
    });
  }

  /** Connects. Rejects with DatabaseError where the server is none that Heddle can use, else as pg does. */
  static async connect(
    database: DatabaseAddress,
    place: string,
  ): Promise<{ readonly hold: DatabaseHold; readonly facts: ServerFacts }> {
    const config = {
      ...connectionConfig(database),
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
    };
    const client = new PostgresClient(config);
    const hold = new DatabaseHold(client);
    try {
      await client.connect();
      const { rows } = await client.query<ServerFacts>(FACTS);
      const facts = rows[0] as ServerFacts;
      demandUsable(facts, place);
      return { hold, facts };
    } catch (error) {
      await hold.release();
      throw error;
    }
  }

  /** Whether the connection is gone. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Takes the lock if nobody has it who stands against that, in a transaction that begins here. Else resolves to who has. */
  async take(kind: HoldKind): Promise<string | undefined> {
    await this.#client.query(OPEN);
    const { rows } = await this.#client.query(TAKE[kind]);
    if (rows[0]?.is_taken === true) return undefined;
    const { rows: holders } = await this.#client.query(HOLDER);
    await this.#client.query("ROLLBACK");
    const [holder] = holders;
    return holder ? `from ${holder.address}, since ${holder.since}, process ${holder.pid} of the server` : "";
  }

  /** Which history the rows are of now, 0 on a standby. Rejects if the connection does not answer: then it is lost. */
  async era(): Promise<number> {
    try {
      const { rows } = await this.#client.query<{ era: number }>(`SELECT ${ERA} AS era`);
      return rows[0]?.era ?? 0;
    } catch (error) {
      this.#isLost = true;
      throw error;
    }
  }

  /** Ends the connection, and with it the lock. */
  async release(): Promise<void> {
    this.#isLost = true;
    await this.#client.end().catch(() => {});
  }
}

function demandUsable(facts: ServerFacts, place: string): void {
  const { version, version_name, encoding, is_standby } = facts;
  if (version < OLDEST.number) {
    const needed = `Heddle needs ${OLDEST.name} or later`;
    throw new DatabaseError(`Postgres at ${place} is of version ${version_name}: ${needed}`);
  }
  if (encoding !== "UTF8") {
    const how = "make one with ENCODING 'UTF8' (docs/postgres.md)";
    throw new DatabaseError(`the database at ${place} is encoded in ${encoding}: ${how}`);
  }
  if (is_standby) {
    const how = "name the primary in HEDDLE_DATABASE_URL, or promote this one";
    throw new DatabaseError(`Postgres at ${place} is a standby: ${how}`, { isAway: true });
  }
}
