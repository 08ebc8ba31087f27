import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { sqliteCompiler } from "../sqlite/compiler.ts";
import { MIGRATIONS } from "../sqlite/migrations.ts";
import { blockStatements } from "./block-statements.ts";
import { deviceStatements } from "./device-statements.ts";
import { groupStatements } from "./group-statements.ts";
import { sightStatements } from "./sight-statements.ts";
import { parameter, statement } from "./statement.ts";
import { threadStatements } from "./thread-statements.ts";
import { visibilityStatements } from "./visibility-statements.ts";

describe("A statement", () => {
  it("binds values by name, as often and in the order the SQL names them", () => {
    const made = statement<{ a: number; b: string }>()(
      sqliteCompiler
        .selectFrom("thread")
        .select("version")
        .where("owner_id", "=", parameter<string>("b"))
        .where("version", ">", parameter<number>("a"))
        .where("read_seq", "=", 5)
        .where("head_bucket", "<", parameter<number>("a")),
    );
    assert.deepEqual(made.bind({ a: 1, b: "x" }), ["x", 1, 5, 1]);
    assert.equal(made.sql.split("?").length - 1, 4);
  });
});

describe("The thread store's statements in SQLite", () => {
  let db: DatabaseSync;
  before(() => {
    db = new DatabaseSync(":memory:");
    db.function("store_now_ms", () => 0);
    for (const step of MIGRATIONS) db.exec(step);
  });
  after(() => db.close());

  const planOf = (sql: string) =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...Array.from({ length: sql.split("?").length - 1 }, () => null))
      .map((row) => String(row.detail));

  it("never scan a table", () => {
    const statements = {
      ...threadStatements(sqliteCompiler),
      ...groupStatements(sqliteCompiler),
      ...blockStatements(sqliteCompiler),
      ...deviceStatements(sqliteCompiler),
      ...visibilityStatements(sqliteCompiler),
      ...sightStatements(sqliteCompiler),
    };
    for (const [name, { sql }] of Object.entries(statements)) {
      for (const line of planOf(sql)) assert.doesNotMatch(line, /^SCAN (?!\(subquery)/, name);
    }
  });

  it("sync by two ranges of indexes, the newer rows in order", () => {
    const plan = planOf(threadStatements(sqliteCompiler).syncRows.sql).join("\n");
    assert.match(plan, /USING INDEX thread_version \(owner_id=\? AND version>\?\)/);
    assert.match(plan, /USING INDEX thread_active \(owner_id=\? AND active_until_ms>\?\)/);
  });

  it("list in the order of their index", () => {
    const plan = planOf(threadStatements(sqliteCompiler).listRows.sql).join("\n");
    assert.match(plan, /USING INDEX thread_recency/);
    assert.doesNotMatch(plan, /TEMP B-TREE/);
  });

  it("find an owner's large groups among its other rows by their index", () => {
    const { allLarge } = threadStatements(sqliteCompiler);
    const { countLarge } = groupStatements(sqliteCompiler);
    for (const { sql } of [allLarge, countLarge]) {
      assert.match(planOf(sql).join("\n"), /INDEX thread_large \(owner_id=\?/);
    }
  });
});
