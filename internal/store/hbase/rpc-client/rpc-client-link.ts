import "hbase-rpc-client"; // First: loaded by it alone, its connection names the fields of messages otherwise.
import Connection from "hbase-rpc-client/lib/connection.js";
import {
  type Cell,
  type CellCheck,
  CONNECT_MS,
  type LinkCall,
  type LinkInit,
  MAX_ANSWER_BYTES,
  type NewCell,
  type ResultRow,
  type RowRead,
  type RowsRead,
  type RowWrite,
  type ServerLink,
  USER,
} from "../wall/driver.ts";
import { BINARY_COMPARATOR, binaryComparator, type Filter } from "../wall/filters.ts";
import { HbaseError } from "../wall/hbase-error.ts";

type Answered<T> = (error: unknown, answer: T) => void;

/** Sends one call on a connection that is there; `done` gets what came of it. */
type Send<T> = (rpc: Connection["rpc"], done: Answered<T>) => void;

/** Its timer for each call, in ms: as far off as one can be, since we end calls ourselves. */
const NEVER_MS = 2 ** 31 - 1;

const EQUAL = "EQUAL";
const NO_BYTES = new Uint8Array(0);

/**
 * The driver over hbase-rpc-client 0.1.15: of that package the connection with its messages, and not the client above it,
 * which asks HBase 2 for what it refuses, never forgets a region that has moved, and tells nobody when a socket closes.
 */
export class RpcClientLink implements ServerLink {
  readonly #connection: Connection;
  readonly #init: LinkInit;
  readonly #waiting = new Set<(error: HbaseError) => void>();
  /** Calls made before the connection was there. */
  #early: (() => void)[] = [];
  #isConnected = false;
  #isClosed = false;

  constructor(init: LinkInit) {
    this.#init = init;
    const route = init.findRoute(init.address);
    const flags = { tcpNoDelay: true, tcpKeepAlive: true, effectiveUser: USER };
    const connection = new Connection({ ...route, ...flags, callTimeout: NEVER_MS });
    this.#connection = connection;
    const cancel = init.clock.after(CONNECT_MS, () => this.#end("no connection in time"));
    connection.on("connect", () => {
      cancel();
      this.#isConnected = true;
      for (const send of this.#early.splice(0)) send();
    });
    connection.socket.on("error", (error) => this.#end(error));
    connection.on("close", () => {
      cancel();
      this.#end("connection ended");
    });
    this.#guardInput();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get receivedBytes(): number {
    return this.#connection.socket.bytesRead;
  }

  get partialBytes(): number {
    return this.#connection.in.buffer.length;
  }

  get(region: Uint8Array, { row, families, filter }: RowRead): LinkCall<readonly Cell[]> {
    const gxt = { row: asBuffer(row), column: columnsOf(families), ...(filter ? filterOf(filter) : {}) };
    const request = { region: specifierOf(region), gxt };
    return this.#call(
      (rpc, done: Answered<{ result: PackageResult | null }>) => rpc.Get(request, done),
      ({ result }) => (result ? cellsOf(result) : []),
    );
  }

  write(region: Uint8Array, write: RowWrite, check: CellCheck | undefined): LinkCall<boolean> {
    const mutation = mutationOf(write);
    const condition = check ? { condition: conditionOf(write.row, check) } : {};
    const request = { region: specifierOf(region), mutation, ...condition };
    return this.#call(
      (rpc, done: Answered<{ processed: boolean | null }>) => rpc.Mutate(request, done),
      ({ processed }) => (check ? processed === true : true),
    );
  }

  scan(region: Uint8Array, { from, isReversed, families, limit }: RowsRead): LinkCall<readonly ResultRow[]> {
    const scan = { column: columnsOf(families), startRow: asBuffer(from), reversed: isReversed };
    const request = { region: specifierOf(region), scan, numberOfRows: limit, closeScanner: true };
    return this.#call(
      (rpc, done: Answered<{ results: readonly PackageResult[] }>) => rpc.Scan(request, done),
      ({ results }) => results.filter(({ cell }) => cell.length > 0).map(rowOf),
    );
  }

  close(): void {
    this.#end("closed by us");
  }

  #call<A, T>(send: Send<A>, read: (answer: A) => T): LinkCall<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#isClosed) {
      reject(HbaseError.unreachable(this.#init.address, "connection has ended"));
      return { answer: promise, forget: () => {} };
    }
    this.#waiting.add(reject);
    let id: number | undefined;
    const start = () => {
      id = this.#connection.callId;
      send(this.#connection.rpc, (error, answer) => {
        this.#waiting.delete(reject);
        if (error) return reject(errorOf(error));
        try {
          resolve(read(answer));
        } catch (thrown) {
          reject(HbaseError.from(thrown));
        }
      });
    };
    if (this.#isConnected) start();
    else this.#early.push(start);
    const forget = () => {
      this.#waiting.delete(reject);
      this.#early = this.#early.filter((early) => early !== start);
      if (id !== undefined) this.#drop(id);
    };
    return { answer: promise, forget };
  }

  /** Its own timer ends with it. */
  #drop(id: number): void {
    const call = this.#connection.calls[id];
    delete this.#connection.calls[id];
    call?.complete("dropped");
  }

  #end(cause: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.socket.destroy();
    const { address, onClosed } = this.#init;
    onClosed();
    const error = this.#isConnected
      ? HbaseError.closed(address, cause)
      : HbaseError.unreachable(address, cause);
    for (const fail of this.#waiting) fail(error);
    this.#waiting.clear();
    this.#early = [];
    for (const id of Object.keys(this.#connection.calls)) this.#drop(Number(id));
  }

  /** What it cannot read it throws in the socket's event, which would end the process. */
  #guardInput(): void {
    const { socket, in: input } = this.#connection;
    socket.off("data", input.processData);
    socket.on("data", (chunk) => {
      try {
        input.processData(chunk as Buffer);
        if (input.awaitBytes > MAX_ANSWER_BYTES) this.#end(`an answer of ${input.awaitBytes} bytes`);
      } catch (error) {
        this.#end(error);
      }
    });
  }
}

type PackageResult = Connection.PackageResult;

/** It hands on what the server answered, an Error, or a string. */
function errorOf(error: unknown): HbaseError {
  const { exceptionClassName, stackTrace, doNotRetry } = error as Partial<Connection.PackageError>;
  if (!exceptionClassName) return HbaseError.from(error);
  return HbaseError.answered(exceptionClassName, stackTrace ?? "", doNotRetry === true);
}

function specifierOf(region: Uint8Array): object {
  return { type: "REGION_NAME", value: asBuffer(region) };
}

function columnsOf(families: readonly string[]): object[] {
  return families.map((family) => ({ family: Buffer.from(family), qualifier: [] }));
}

/** A field that is not set must be left out. */
function filterOf({ name, bytes }: Filter): object {
  return { filter: { name, serializedFilter: asBuffer(bytes) } };
}

function conditionOf(row: Uint8Array, { family, qualifier, expected = NO_BYTES }: CellCheck): object {
  const comparator = {
    name: BINARY_COMPARATOR,
    serializedComparator: asBuffer(binaryComparator(expected)),
  };
  return {
    row: asBuffer(row),
    family: Buffer.from(family),
    qualifier: asBuffer(qualifier),
    compareType: EQUAL,
    comparator,
  };
}

function mutationOf({ kind, row, cells }: RowWrite): object {
  const isPut = kind === "put";
  const cellOf = ({ qualifier, value, timestamp }: NewCell) => ({
    qualifier: asBuffer(qualifier),
    ...(isPut ? { value: asBuffer(value) } : { deleteType: "DELETE_ONE_VERSION" }),
    ...(timestamp === undefined ? {} : { timestamp }),
  });
  const columnValue = [...Map.groupBy(cells, ({ family }) => family)].map(([family, own]) => ({
    family: Buffer.from(family),
    qualifierValue: own.map(cellOf),
  }));
  return { row: asBuffer(row), mutateType: isPut ? "PUT" : "DELETE", columnValue };
}

function rowOf(result: PackageResult): ResultRow {
  const [first] = result.cell;
  return { key: first ? bytesOf(first.row) : NO_BYTES, cells: cellsOf(result) };
}

function cellsOf({ cell }: PackageResult): Cell[] {
  return cell.map(({ family, qualifier, timestamp, value }) => ({
    family: family.toBuffer().toString("latin1"),
    qualifier: bytesOf(qualifier),
    timestamp: timestamp.toNumber(),
    value: value ? bytesOf(value) : NO_BYTES,
  }));
}

/** In memory of their own: its views hold on to the socket's chunk. */
function bytesOf(bytes: Connection.ByteBuffer): Uint8Array {
  return new Uint8Array(bytes.toBuffer());
}

/** It takes no other array of bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
