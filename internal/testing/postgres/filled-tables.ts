import type { Client } from "pg";

/** How many of each. Owners each have `threads / owners` rows, of which one in ten is of a group. */
export interface Filling {
  readonly owners: number;
  readonly threads: number;
  readonly cells: number;
}

/** Ids of the filling: users `u0` … `u<owners - 1>`, threads `md5('t<i>')`, groups `md5('g<i>')`. */
export const filledId = (text: string): string => `decode(md5(${text}), 'hex')`;

/** Fills the tables of both stores by SQL, and lets Postgres look at them: enough rows that no plan is by chance. */
export async function fillTables(client: Client, { owners, threads, cells }: Filling): Promise<void> {
  const groups = Math.ceil(threads / 4);
  const user = (number: string) => `'u' || (${number}) % ${owners}`;
  await client.query(`
    INSERT INTO owner SELECT 'u' || i, ${Math.ceil(threads / owners)} FROM generate_series(0, ${owners - 1}) AS i;
    INSERT INTO group_thread SELECT ${filledId("'g' || i")}, 'group', 1, 10, 0, 0 FROM generate_series(0, ${groups - 1}) AS i;
    INSERT INTO activity SELECT thread_id, 0, 0 FROM group_thread;
    INSERT INTO member
      SELECT DISTINCT ON (1, 2) ${filledId("'g' || i / 10")}, ${user("i")}, 'member', 1, 0, NULL FROM generate_series(0, ${10 * groups - 1}) AS i;
    INSERT INTO group_change
      SELECT thread_id, 'u0', thread_id, i FROM group_thread, generate_series(1, 10) AS i
      ON CONFLICT DO NOTHING;
    INSERT INTO block SELECT 'u' || i, ${user("i + 7")} FROM generate_series(0, ${owners - 1}) AS i;
    INSERT INTO device SELECT 'u' || i, 'd' || n, 0, 0, NULL FROM generate_series(0, ${owners - 1}) AS i, generate_series(0, 2) AS n;
    INSERT INTO profile SELECT 'u' || i, 'name', '', 0 FROM generate_series(0, ${owners - 1}) AS i;
    INSERT INTO visibility SELECT 'u' || i, 'shared' FROM generate_series(0, ${owners - 1}) AS i;
    INSERT INTO thread (owner_id, thread_id, kind, other_user_id, created_at_ms, updated_at_ms, version, active_until_ms, is_large)
      SELECT ${user("i")}, CASE WHEN i / ${owners} % 10 = 0 THEN ${filledId(`'g' || i % ${owners} / 10`)} ELSE ${filledId("'t' || i")} END,
        CASE WHEN i / ${owners} % 10 = 0 THEN 'group' ELSE 'direct' END,
        CASE WHEN i / ${owners} % 10 = 0 THEN NULL ELSE ${user("i + 1 + i / 10")} END,
        i, i, i / ${owners} + 1, i, 0 FROM generate_series(0, ${threads - 1}) AS i ON CONFLICT DO NOTHING;
    INSERT INTO message_head SELECT ${filledId("'r' || i")}, 'head' FROM generate_series(0, ${Math.ceil(cells / 20)}) AS i;
    INSERT INTO message_cell
      SELECT ${filledId("'r' || i / 20")}, 'm', int8send(i::bigint), 0, 'a cell of a message' FROM generate_series(0, ${cells - 1}) AS i;
  `);
  await client.query("VACUUM ANALYZE");
}

/** How often each table was scanned from end to end, and by an index, until now. */
export async function scansOf(
  client: Client,
): Promise<ReadonlyMap<string, { readonly whole: number; readonly byIndex: number }>> {
  const { rows } = await client.query<{ relname: string; seq_scan: string; idx_scan: string }>(
    "SELECT relname, seq_scan, coalesce(idx_scan, 0) AS idx_scan FROM pg_stat_user_tables",
  );
  return new Map(
    rows.map((row) => [row.relname, { whole: Number(row.seq_scan), byIndex: Number(row.idx_scan) }]),
  );
}
