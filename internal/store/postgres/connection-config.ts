import { type ClientConfig, types } from "pg";

/** postgres://user:password@host:port/database, or the folder of a Unix socket as `host`. */
export type DatabaseAddress =
  | string
  | { readonly host: string; readonly port?: number; readonly user: string; readonly database: string };

/** Type numbers of Postgres. */
const INT8 = 20;
const BYTEA = 17;

/**
 * What every connection is opened with. No setting is sent with it, since a pooler between refuses what it does not know:
 * who opens one sets what it needs afterwards.
 */
export function connectionConfig(database: DatabaseAddress): ClientConfig {
  return {
    ...(typeof database === "string" ? { connectionString: database } : database),
    application_name: "heddle",
    keepAlive: true,
    types: { getTypeParser: parserOf as typeof types.getTypeParser },
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
