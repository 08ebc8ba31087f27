import assert from "node:assert/strict";
import type { Client } from "pg";
import { freshDatabase } from "../../testing/postgres/fresh-database.ts";
import { postgresServer } from "../../testing/postgres/postgres-server.ts";
import { transactionPooler } from "../../testing/postgres/transaction-pooler.ts";
import { isPooledByTransaction } from "./pooler.ts";
import { PostgresPool } from "./postgres-pool.ts";

const SETTINGS = {
  name: "settings",
  text: `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
    current_setting('synchronous_commit') AS commit`,
};

describe("Behind a pooler", () => {
  let client: Client;
  let database: Awaited<ReturnType<typeof freshDatabase>>["database"];
  beforeEach(async () => {
    ({ client, database } = await freshDatabase());
    await client.query(`ALTER DATABASE ${database.database} SET synchronous_commit = off`);
  });
  afterEach(() => client.end());

  it("a database is known as such, and refused where prepared statements are not carried along", async () => {
    const pooler = await transactionPooler(await postgresServer(), database.user, database.database);
    const refused = isPooledByTransaction(pooler.url, "here");
    await assert.rejects(
      refused,
      /pooler at here does not carry prepared statements along: use PgBouncer 1\.21/,
    );
    pooler.close();
    assert.equal(await isPooledByTransaction(database, "here"), false);
  });

  for (const isPooled of [true, false]) {
    it(`a call has its limits and is synced, ${isPooled ? "for one transaction" : "where there is none"}`, async () => {
      const pool = new PostgresPool({ name: "thread", database, isPooled, maxConnections: 1, callMs: 3_000 });
      const [at] = await pool.rows<{ statement: string; lock: string; commit: string }>(SETTINGS, [], 0);
      const ms = (text = "") =>
        text.endsWith("ms") ? Number.parseInt(text, 10) : 1_000 * Number.parseInt(text, 10);
      for (const limit of [at?.statement, at?.lock])
        assert.ok(ms(limit) > 0 && ms(limit) <= 2_750, `${limit}`);
      assert.equal(at?.commit, "on");
      await pool.close();
    });
  }
});
