import { DatabaseError } from "../database-error.ts";
import { NewerTables } from "./postgres-pool.ts";

/** Where the manual of all this is. */
const MANUAL = "docs/postgres.md";

/** What a person is told of an error of Postgres by its code, and what to do. */
const MENDS: Readonly<Record<string, string>> = {
  "28P01": "mend user and password in HEDDLE_DATABASE_URL",
  "28000": "mend user and password in HEDDLE_DATABASE_URL, or the server's pg_hba.conf",
  "3D000": `make that database (${MANUAL}), or mend its name in HEDDLE_DATABASE_URL`,
  "42501": `give the role the rights that ${MANUAL} names`,
  "42P07": "name a database of Heddle's own in HEDDLE_DATABASE_URL: this one has other tables",
};

/** Of the network and of servers that start, stop or are full: a try a little later may do. */
const AWAY =
  /^(E(CONN|HOST|NET|TIMEDOUT|PIPE|AI_AGAIN)|ENOENT|ENOTFOUND|EACCES$|57P0|53|08)|timeout|terminated|standby|no (answer|connection) within/i;

/** What a pooler says that does not get on with the password. */
const REFUSED = /password|authentication|SASL|SSL|certificate|no such (user|database)/i;

/** Why a database cannot be used, in one line with what to do. `place`: what it is called, without secrets. */
export function startProblem(place: string, error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const cause = reasonOf(error);
  if (cause instanceof NewerTables)
    return new DatabaseError(`Postgres at ${place}: ${cause.message}, or put back a backup from before it`);
  const code = String((cause as { code?: unknown }).code ?? "");
  const said = firstLine(cause) || code;
  const mend = MENDS[code];
  if (mend) return new DatabaseError(`Postgres at ${place}: ${said}: ${mend}`, { cause });
  if (said.includes("client password must be a string")) {
    const how = "write postgres://user:password@… in HEDDLE_DATABASE_URL";
    return new DatabaseError(`Postgres at ${place} asks for a password, and none is set: ${how}`, { cause });
  }
  if (REFUSED.test(said)) {
    const how = `mend HEDDLE_DATABASE_URL (${MANUAL})`;
    return new DatabaseError(`Postgres at ${place}: ${said}: ${how}`, { cause });
  }
  const isAway = AWAY.test(code) || AWAY.test(said);
  const how = isAway ? "start it, or mend HEDDLE_DATABASE_URL" : `see ${MANUAL}`;
  return new DatabaseError(`Postgres at ${place} cannot be used (${said}): ${how}`, { isAway, cause });
}

/** Below the errors of stores; of several addresses that were tried, the first one's. */
function reasonOf(error: unknown): unknown {
  const below = error instanceof AggregateError ? error.errors[0] : (error as { cause?: unknown }).cause;
  return below === undefined ? error : reasonOf(below);
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split("\n", 1)[0] ?? "";
}
