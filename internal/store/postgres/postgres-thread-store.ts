import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { invalidField } from "../../base/heddle-error.ts";
import { CHANGE_BYTES, SqlThreadStore } from "../sql/sql-thread-store.ts";
import type { SqlValue, Statement } from "../sql/statement.ts";
import { storeStatements } from "../sql/store-statements.ts";
import type { Step, Work } from "../sql/work.ts";
import type { Touch } from "../thread-store.ts";
import { asBuffer } from "./as-buffer.ts";
import { postgresCompiler } from "./compiler.ts";
import { postgresHistory } from "./postgres-history.ts";
import type { PostgresPool, Prepared, RunStatement } from "./postgres-pool.ts";
import { THREAD_SCHEMA } from "./thread-schema.ts";

const statements = storeStatements(postgresCompiler);

const LOCK_OWNERS: Prepared = { name: "thread-lock-owners", text: "SELECT lock_owners($1)" };
const TOUCH: Prepared = { name: "thread-touch", text: "SELECT touch_rows($1, $2, $3)" };
const LOCK_GROUP: Prepared = {
  name: "thread-lock-group",
  text: "SELECT FROM group_thread WHERE thread_id = $1 FOR UPDATE",
};

const CLAIM: Prepared = {
  name: "thread-claim",
  text: "INSERT INTO deployment VALUES (true, $1) ON CONFLICT DO NOTHING",
};
const DEPLOYMENT: Prepared = { name: "thread-deployment", text: "SELECT id FROM deployment" };

const KEEP: Prepared = {
  name: "thread-keep",
  text: "INSERT INTO meta VALUES ($1, $2) ON CONFLICT DO NOTHING",
};
const KEPT: Prepared = { name: "thread-kept", text: "SELECT value FROM meta WHERE name = $1" };

/** What a read's values take, at most but for a few. */
const READ_BYTES = 1_024;

/**
 * Thread rows, groups, blocks, devices, profiles and visibility in Postgres (docs/design.md, sections 6 and 8), for any
 * number of programs on one database. Each write is a transaction that takes its locks first, in one order; each read sees
 * one snapshot.
 */
export class PostgresThreadStore extends SqlThreadStore {
  protected readonly history = postgresHistory;
  readonly #pool: PostgresPool;

  private constructor(pool: PostgresPool, clock: Clock) {
    super(statements, clock);
    this.#pool = pool;
  }

  /** Makes the tables where they are missing. `clock`: this process's. Rejects with STORE_UNAVAILABLE. */
  static async open(pool: PostgresPool, clock: Clock): Promise<PostgresThreadStore> {
    await pool.migrate("thread", THREAD_SCHEMA);
    return new PostgresThreadStore(pool, clock);
  }

  override async touch(touches: readonly Touch[]): Promise<void> {
    const rows = touches.flatMap((touch) => touch.ownerIds.map((ownerId) => ({ ...touch, ownerId })));
    if (rows.length === 0) return;
    const values = [
      rows.map(({ ownerId }) => withoutNul(ownerId)),
      rows.map(({ threadId }) => asBuffer(threadId)),
      rows.map(({ headBucket }) => headBucket),
    ];
    await this.#pool.rows(TOUCH, values, rows.length * CHANGE_BYTES);
  }

  /** The id of the deployment whose rows these are: `mine` where there was none, if one is given. 16 bytes. */
  deployment(mine: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    return this.#pool.transaction("write", CHANGE_BYTES, async (run) => {
      if (mine) await run(CLAIM, [asBuffer(mine)]);
      return (await run<{ id: Uint8Array }>(DEPLOYMENT, [])).rows[0]?.id;
    });
  }

  /** A number of the deployment, by its name: `mine` where there was none. */
  kept(name: string, mine: number): Promise<number> {
    return this.#pool.transaction("write", CHANGE_BYTES, async (run) => {
      await run(KEEP, [name, mine]);
      return (await run<{ value: number }>(KEPT, [name])).rows[0]?.value ?? mine;
    });
  }

  protected read<T>(work: () => Work<T>): Promise<T> {
    return this.#pool.transaction("snapshot", READ_BYTES, (run) => doWork(work(), run));
  }

  protected write<T>(bytes: number, work: () => Work<T>): Promise<T> {
    return this.#pool.transaction("write", bytes, (run) => doWork(work(), run));
  }
}

async function doWork<T>(work: Work<T>, run: RunStatement): Promise<T> {
  let step = work.next();
  while (!step.done) step = work.next(await take(step.value, run));
  return step.value;
}

async function take(step: Step, run: RunStatement): Promise<unknown> {
  if (step.kind === "lock-owners") return run(LOCK_OWNERS, [step.ownerIds.map(withoutNul)]);
  if (step.kind === "lock-group") return run(LOCK_GROUP, [asBuffer(step.threadId)]);
  const { rows, changed } = await run(
    prepared(step.statement),
    step.statement.bind(step.values).map(asPostgres),
  );
  if (step.kind === "count") return changed;
  return step.kind === "row" ? rows[0] : rows;
}

const names = new WeakMap<object, Prepared>();

/** Named after its text: so the same in every program, and of each version its own. */
function prepared<P extends Readonly<Record<string, SqlValue>>>(statement: Statement<P, unknown>): Prepared {
  let found = names.get(statement);
  if (!found) {
    const digest = createHash("sha256").update(statement.sql).digest("hex").slice(0, 24);
    found = { name: `thread-${digest}`, text: statement.sql };
    names.set(statement, found);
  }
  return found;
}

function asPostgres(value: SqlValue): unknown {
  if (value instanceof Uint8Array) return asBuffer(value);
  return typeof value === "string" ? withoutNul(value) : value;
}

/** Postgres keeps no text with that character: said before it is sent. */
function withoutNul(text: string): string {
  if (text.includes("\0"))
    throw invalidField("text", "has no character U+0000, which this store cannot keep");
  return text;
}
