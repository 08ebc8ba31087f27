import type { Clock } from "../../../base/clock.ts";
import type { Filter } from "./filters.ts";

/**
 * The wall: all that is asked of a client library of HBase. A driver makes calls to one server and translates them;
 * where regions are, what is repeated, what is bounded and what an error asks for is decided above it, once for all drivers.
 */

/** One cell as a server answers it. Bytes may be shared with other cells of the same answer. */
export interface Cell {
  readonly family: string;
  readonly qualifier: Uint8Array;
  readonly timestamp: number;
  readonly value: Uint8Array;
}

/** A row with cells, as a scan finds it. */
export interface ResultRow {
  readonly key: Uint8Array;
  readonly cells: readonly Cell[];
}

/** What of a row is read, of each cell the newest version. At least one family. */
export interface RowRead {
  readonly row: Uint8Array;
  readonly families: readonly string[];
  readonly filter: Filter | undefined;
}

/** A cell to write; without a timestamp the server gives its own. */
export interface NewCell {
  readonly family: string;
  readonly qualifier: Uint8Array;
  readonly value: Uint8Array;
  readonly timestamp?: number;
}

/**
 * A change of one row, atomic over its families. Cells of one family stand side by side. `mark` writes no value but a
 * delete marker of that very timestamp, which hides nothing: a change of the log that leaves the row as it is.
 */
export interface RowWrite {
  readonly kind: "put" | "mark";
  readonly row: Uint8Array;
  readonly cells: readonly NewCell[];
}

/** The cell that must have these bytes, or must be absent, for the write to be done. */
export interface CellCheck {
  readonly family: string;
  readonly qualifier: Uint8Array;
  readonly expected: Uint8Array | undefined;
}

/** Rows of one region, from a key (itself included) upwards, or downwards. At most `limit`; none means that there is no more. */
export interface RowsRead {
  readonly from: Uint8Array;
  readonly isReversed: boolean;
  readonly families: readonly string[];
  readonly limit: number;
}

/** A call that was sent, or will be once the connection is there. */
export interface LinkCall<T> {
  /** Rejects with HbaseError, always: also when the connection ends or cannot be made. */
  readonly answer: Promise<T>;
  /** Drops it: nobody waits for the answer any more. */
  forget(): void;
}

/** One connection to one server, made at once and used until it closes. `region` is a region's full name. */
export interface ServerLink {
  /** It serves no more calls. */
  readonly isClosed: boolean;
  /** All that came on it so far: if that stands still, so does the connection. */
  readonly receivedBytes: number;
  /** What has come of answers that are not whole yet, in bytes. */
  readonly partialBytes: number;
  get(region: Uint8Array, read: RowRead, leftMs: number): LinkCall<readonly Cell[]>;
  /** Whether it was done: false if the check did not hold. */
  write(region: Uint8Array, write: RowWrite, check: CellCheck | undefined, leftMs: number): LinkCall<boolean>;
  scan(region: Uint8Array, read: RowsRead, leftMs: number): LinkCall<readonly ResultRow[]>;
  /** Ends it; calls that wait reject. A second call does nothing. */
  close(): void;
}

/** A server as HBase names it: "host:port". */
export type ServerAddress = string;

/** Where a server is reached. */
export interface Route {
  readonly host: string;
  readonly port: number;
}

/** Finds it. Tests lead elsewhere. */
export type FindRoute = (address: ServerAddress) => Route;

/** Where its name says. */
export const namedRoute: FindRoute = (address) => {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
};

export interface LinkInit {
  readonly address: ServerAddress;
  readonly findRoute: FindRoute;
  readonly clock: Clock;
  /** Called once, when the link is closed, by whichever side. */
  readonly onClosed: () => void;
}

/** Makes links. Does not throw. */
export type Driver = (init: LinkInit) => ServerLink;

/** A connection that is not made within this is given up, in ms. */
export const CONNECT_MS = 2_000;

/** An answer of more bytes ends its connection: a full row has 512 entries of 64 KiB. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The user that we write as, where HBase checks rights by name. */
export const USER = "heddle";
