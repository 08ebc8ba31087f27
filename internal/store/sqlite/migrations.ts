/**
 * The schema as the steps that led to it; `user_version` counts those a file has had. A step that was released is
 * never changed: a new one is added. STRICT, so that a wrong type is an error at the write and not a surprise later.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE thread (
    owner_id TEXT NOT NULL,
    thread_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    other_user_id TEXT,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    is_muted INTEGER NOT NULL DEFAULT 0,
    has_left INTEGER NOT NULL DEFAULT 0,
    read_seq INTEGER NOT NULL DEFAULT 0,
    read_ordinal INTEGER NOT NULL DEFAULT 0,
    head_bucket INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL,
    active_until_ms INTEGER NOT NULL,
    PRIMARY KEY (owner_id, thread_id)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX thread_version ON thread (owner_id, version);
  CREATE INDEX thread_active ON thread (owner_id, active_until_ms);
  CREATE INDEX thread_recency ON thread (owner_id, updated_at_ms DESC, thread_id DESC);

  CREATE TABLE owner (
    owner_id TEXT PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE device (
    owner_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    last_opened_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER,
    PRIMARY KEY (owner_id, device_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Random, 48 bits, never 0: tells this database from one made anew, whose versions mean something else.
  INSERT INTO meta VALUES ('epoch', 1 + abs(random() % 281474976710655));
  `,
  `
  CREATE TABLE visibility (
    owner_id TEXT PRIMARY KEY NOT NULL,
    visibility TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE thread ADD COLUMN joined_seq INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE thread ADD COLUMN left_seq INTEGER;
  ALTER TABLE thread ADD COLUMN left_ordinal INTEGER;
  ALTER TABLE thread ADD COLUMN left_name TEXT;
  ALTER TABLE thread ADD COLUMN left_member_count INTEGER;
  ALTER TABLE thread ADD COLUMN is_large INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX thread_large ON thread (owner_id, thread_id) WHERE is_large = 1 AND has_left = 0;

  CREATE TABLE group_thread (
    thread_id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    applied_seq INTEGER NOT NULL,
    member_count INTEGER NOT NULL,
    is_large INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE member (
    thread_id BLOB NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    joined_seq INTEGER NOT NULL,
    PRIMARY KEY (thread_id, user_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX member_user ON member (user_id, thread_id);

  CREATE TABLE group_change (
    thread_id BLOB NOT NULL,
    sender TEXT NOT NULL,
    request_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (thread_id, sender, request_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE activity (
    thread_id BLOB PRIMARY KEY NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    head_bucket INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE block (
    owner_id TEXT NOT NULL,
    other_user_id TEXT NOT NULL,
    PRIMARY KEY (owner_id, other_user_id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The identity of this history (docs/design.md, section 6): eras and marks take the place of the epoch.
  CREATE TABLE era (
    number INTEGER PRIMARY KEY NOT NULL,
    era INTEGER NOT NULL UNIQUE,
    last_mark INTEGER
  ) STRICT;
  UPDATE meta SET name = 'mark', value = 0 WHERE name = 'epoch';
  `,
  // Who has written where. Rows that were there before say NULL, not known: the log is asked when somebody has to know.
  `
  ALTER TABLE thread ADD COLUMN has_written INTEGER;
  ALTER TABLE member ADD COLUMN has_written INTEGER;
  ALTER TABLE member ADD COLUMN added_by TEXT;
  `,
  `
  CREATE TABLE profile (
    user_id TEXT PRIMARY KEY NOT NULL,
    display_name TEXT NOT NULL,
    picture_url TEXT NOT NULL,
    is_own INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // Spans of membership before the last. Rows that were there before know of none.
  `
  ALTER TABLE thread ADD COLUMN earlier_spans TEXT NOT NULL DEFAULT '';
  `,
];
