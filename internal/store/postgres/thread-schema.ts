import { ACTIVE_MS } from "../thread-store.ts";

/** Which history the rows of a server that serves are of; 0 on a standby. */
export const ERA = "CASE WHEN pg_is_in_recovery() THEN 0 ELSE store_era() END";

/** Partitions of the largest table, by owner. Few enough that a statement's locks of all of them cost nothing. */
const PARTITIONS = 8;

const partitions = Array.from(
  { length: PARTITIONS },
  (_, at) =>
    `CREATE TABLE thread_${at} PARTITION OF thread FOR VALUES WITH (MODULUS ${PARTITIONS}, REMAINDER ${at});`,
).join("\n");

/**
 * The tables of the thread store as the steps that led to them (../sql/tables.ts says what they mean). A step that was
 * released is never changed: a new one is added. Text is compared byte by byte, as everywhere in Heddle.
 */
export const THREAD_SCHEMA: readonly string[] = [
  `
  CREATE TABLE thread (
    owner_id text COLLATE "C" NOT NULL,
    thread_id bytea NOT NULL,
    kind text COLLATE "C" NOT NULL,
    other_user_id text COLLATE "C",
    created_at_ms bigint NOT NULL,
    updated_at_ms bigint NOT NULL,
    is_muted smallint NOT NULL DEFAULT 0,
    has_left smallint NOT NULL DEFAULT 0,
    read_seq bigint NOT NULL DEFAULT 0,
    read_ordinal bigint NOT NULL DEFAULT 0,
    head_bucket bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL,
    active_until_ms bigint NOT NULL,
    joined_seq bigint NOT NULL DEFAULT 0,
    left_seq bigint,
    left_ordinal bigint,
    left_name text COLLATE "C",
    left_member_count bigint,
    earlier_spans text COLLATE "C" NOT NULL DEFAULT '',
    is_large smallint NOT NULL DEFAULT 0,
    has_written smallint,
    PRIMARY KEY (owner_id, thread_id)
  ) PARTITION BY HASH (owner_id);
  ${partitions}
  CREATE UNIQUE INDEX thread_version ON thread (owner_id, version);
  CREATE INDEX thread_active ON thread (owner_id, active_until_ms);
  CREATE INDEX thread_recency ON thread (owner_id, updated_at_ms DESC, thread_id DESC);
  CREATE INDEX thread_large ON thread (owner_id, thread_id) WHERE is_large = 1 AND has_left = 0;

  -- Also what read-then-write of an owner's rows, devices and profile is locked by.
  CREATE TABLE owner (
    owner_id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL
  );

  CREATE TABLE group_thread (
    thread_id bytea PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    applied_seq bigint NOT NULL,
    member_count bigint NOT NULL,
    is_large smallint NOT NULL,
    created_at_ms bigint NOT NULL
  );
  CREATE TABLE member (
    thread_id bytea NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    joined_seq bigint NOT NULL,
    has_written smallint,
    added_by text COLLATE "C",
    PRIMARY KEY (thread_id, user_id)
  );
  CREATE INDEX member_user ON member (user_id, thread_id);
  CREATE TABLE group_change (
    thread_id bytea NOT NULL,
    sender text COLLATE "C" NOT NULL,
    request_id bytea NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (thread_id, sender, request_id)
  );
  CREATE TABLE activity (
    thread_id bytea PRIMARY KEY,
    updated_at_ms bigint NOT NULL,
    head_bucket bigint NOT NULL
  );
  CREATE TABLE block (
    owner_id text COLLATE "C" NOT NULL,
    other_user_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner_id, other_user_id)
  );
  CREATE TABLE device (
    owner_id text COLLATE "C" NOT NULL,
    device_id text COLLATE "C" NOT NULL,
    created_at_ms bigint NOT NULL,
    last_opened_at_ms bigint NOT NULL,
    revoked_at_ms bigint,
    PRIMARY KEY (owner_id, device_id)
  );
  CREATE TABLE profile (
    user_id text COLLATE "C" PRIMARY KEY,
    display_name text COLLATE "C" NOT NULL,
    picture_url text COLLATE "C" NOT NULL,
    is_own smallint NOT NULL
  );
  CREATE TABLE visibility (
    owner_id text COLLATE "C" PRIMARY KEY,
    visibility text COLLATE "C" NOT NULL
  );

  -- 'history': raised by an administrator who has put the database back (docs/postgres.md).
  CREATE TABLE meta (
    name text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
  );
  INSERT INTO meta VALUES ('history', 1);

  CREATE FUNCTION store_now_ms() RETURNS bigint LANGUAGE sql VOLATILE
  AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

  -- First those that have no row yet, then all: each time in one order, so that no two transactions wait for each other.
  CREATE FUNCTION lock_owners(owner_ids text[]) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO owner (owner_id, version)
    SELECT wanted, 0 FROM unnest(owner_ids) AS wanted
    WHERE NOT EXISTS (SELECT FROM owner WHERE owner_id = wanted COLLATE "C")
    ORDER BY wanted COLLATE "C"
    ON CONFLICT DO NOTHING;
    PERFORM FROM owner WHERE owner_id = ANY (owner_ids) ORDER BY owner_id FOR UPDATE;
  END $$;

  -- Which history these rows are of, 1 … 2^48 - 1: another one on a standby that was promoted, whose timeline is its own.
  CREATE FUNCTION store_era() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT greatest(1, ('x' || substr(encode(sha256(convert_to(concat_ws('/',
      (SELECT system_identifier FROM pg_control_system()),
      substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8),
      (SELECT value FROM meta WHERE name = 'history')
    ), 'UTF8')), 'hex'), 1, 12))::bit(48)::bigint)
  $$;
  `,
  // ThreadStore.touch in one statement: the locks of a group's owners are not held for as many round trips.
  `
  CREATE FUNCTION touch_rows(owner_ids text[], thread_ids bytea[], head_buckets bigint[])
  RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM lock_owners(owner_ids);
    WITH now AS (
      SELECT store_now_ms() AS ms
    ), asked AS (
      SELECT thread.owner_id, thread.thread_id, max(one.head_bucket) AS head_bucket
      FROM unnest(owner_ids, thread_ids, head_buckets) AS one (owner_id, thread_id, head_bucket)
      JOIN thread ON thread.owner_id = one.owner_id AND thread.thread_id = one.thread_id
      GROUP BY thread.owner_id, thread.thread_id
    ), placed AS (
      SELECT *, row_number() OVER of_owner AS place, count(*) OVER (PARTITION BY owner_id) AS total
      FROM asked WINDOW of_owner AS (PARTITION BY owner_id ORDER BY thread_id)
    ), raised AS (
      UPDATE owner SET version = owner.version + counted.total
      FROM (SELECT DISTINCT owner_id, total FROM placed) AS counted
      WHERE owner.owner_id = counted.owner_id
      RETURNING owner.owner_id, owner.version
    )
    UPDATE thread SET
      version = raised.version - placed.total + placed.place,
      updated_at_ms = greatest(thread.updated_at_ms, now.ms),
      head_bucket = greatest(thread.head_bucket, placed.head_bucket),
      active_until_ms = now.ms + ${ACTIVE_MS}
    FROM now, placed JOIN raised ON raised.owner_id = placed.owner_id
    WHERE thread.owner_id = placed.owner_id AND thread.thread_id = placed.thread_id;
  END $$;
  `,
  `
  -- Whose data this is. One row.
  CREATE TABLE deployment (
    is_one boolean PRIMARY KEY CHECK (is_one),
    id bytea NOT NULL CHECK (length(id) = 16)
  );
  `,
];
