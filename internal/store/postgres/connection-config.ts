import { Client, type ClientConfig, types } from "pg";
import { parse } from "pg-connection-string";
import { DatabaseError } from "../database-error.ts";

/** postgres://user:password@host:port/database, or the folder of a Unix socket as `host`. */
export type DatabaseAddress =
  | string
  | { readonly host: string; readonly port?: number; readonly user: string; readonly database: string };

/**
 * What pg takes for verify-full too, with a warning of many lines on stderr. Where libpq's meaning is asked for
 * (`uselibpqcompat`) there is no warning, and they are left as they are.
 */
const AS_VERIFY_FULL = /(?<=[?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/g;

/**
 * An address with what the files say that its URL names, and where it leads, without secrets: `host:port/database`, or the
 * folder of a socket. Read once, so that a connection that is opened later does not fail on a file, which pg would throw where
 * nobody catches it. Throws DatabaseError.
 */
export function readAddress(database: DatabaseAddress): {
  readonly address: DatabaseAddress;
  readonly place: string;
} {
  try {
    const address = typeof database === "string" ? parsed(database) : database;
    const { host, port, database: name } = new Client(connectionConfig(address));
    return { address, place: `${host}:${port}/${name}` };
  } catch (error) {
    const { path, code, message } = error as NodeJS.ErrnoException;
    const what =
      path === undefined
        ? `cannot be used (${message}): mend it`
        : `names the file ${path}, which cannot be read (${code}): mend sslrootcert, sslcert or sslkey`;
    throw new DatabaseError(`HEDDLE_DATABASE_URL ${what} (docs/postgres.md)`, { cause: error });
  }
}

/** As pg does it for itself, which takes a port as text too. */
function parsed(url: string): Exclude<DatabaseAddress, string> {
  const isAsLibpq = /[?&]uselibpqcompat=true(&|$)/.test(url);
  const options = parse(isAsLibpq ? url : url.replace(AS_VERIFY_FULL, "verify-full"));
  return options as unknown as Exclude<DatabaseAddress, string>;
}

/** Type numbers of Postgres. */
const INT8 = 20;
const BYTEA = 17;

/**
 * What every connection is opened with. No setting is sent with it, since a pooler between refuses what it does not know:
 * who opens one sets what it needs afterwards.
 */
export function connectionConfig(database: DatabaseAddress): ClientConfig {
  return {
    application_name: "heddle", // Unless the URL names another.
    keepAlive: true,
    types: { getTypeParser: parserOf as typeof types.getTypeParser },
    ...(typeof database === "string" ? { connectionString: database } : database),
  };
}

/** Numbers are exact up to 2^53 − 1, above what any column holds. Bytes are plain arrays, as every store hands them out. */
function parserOf(type: number, format?: "text" | "binary"): unknown {
  if (type === INT8) return Number;
  if (type === BYTEA) return (text: string) => plainBytes(Buffer.from(text.slice(2), "hex"));
  return types.getTypeParser(type, format as "text");
}

function plainBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
