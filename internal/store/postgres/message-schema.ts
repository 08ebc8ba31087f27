/**
 * The tables of the message log as the steps that led to them. A step that was released is never changed: a new one is
 * added. A cell of `m` has timestamp 0.
 */
export const MESSAGE_SCHEMA: readonly string[] = [
  `
  CREATE TABLE message_head (
    row_key bytea PRIMARY KEY,
    head bytea NOT NULL
  );
  CREATE TABLE message_cell (
    row_key bytea NOT NULL,
    family "char" NOT NULL,
    qualifier bytea NOT NULL,
    at bigint NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (row_key, family, qualifier)
  );
  -- Bodies are short and not read by Postgres: no try to pack each of them.
  ALTER TABLE message_cell ALTER COLUMN value SET STORAGE EXTERNAL;
  `,
];
