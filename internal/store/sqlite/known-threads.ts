/**
 * Each thread of which the rows know that it has had entries, with the highest seq that they speak of: 0 where they say
 * no more than that somebody wrote. A direct thread that a block or a new conversation made has none. Only of tables
 * that are up to date. `schema` is that of the connection.
 */
export function knownThreadsSql(schema: "main" | "old", bucketSize: number): string {
  return `
    SELECT thread_id, seq FROM (
      SELECT t.thread_id AS thread_id,
        max(max(t.read_seq, t.joined_seq, ifnull(t.left_seq, 0), ifnull(g.applied_seq, 0),
          ${bucketSize} * max(t.head_bucket, ifnull(a.head_bucket, 0)))) AS seq,
        max(ifnull(t.has_written, 0) = 1 OR t.updated_at_ms > t.created_at_ms) AS was_written
      FROM ${schema}.thread t
      LEFT JOIN ${schema}.group_thread g ON g.thread_id = t.thread_id
      LEFT JOIN ${schema}.activity a ON a.thread_id = t.thread_id
      GROUP BY t.thread_id)
    WHERE seq > 0 OR was_written = 1`;
}
