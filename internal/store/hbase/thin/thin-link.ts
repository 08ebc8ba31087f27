import type {
  Cell,
  CellCheck,
  LinkCall,
  LinkInit,
  NewCell,
  ResultRow,
  RowRead,
  RowsRead,
  RowWrite,
  ServerLink,
} from "../wall/driver.ts";
import { BINARY_COMPARATOR, binaryComparator } from "../wall/filters.ts";
import { Fields, type ReadFields } from "../wall/protobuf-fields.ts";
import type { RowCell } from "./cell-block.ts";
import { type RpcAnswer, RpcConnection } from "./rpc-connection.ts";

const REGION_NAME = 1;
const EQUAL = 2;
const PUT = 2;
const DELETE = 3;
const DELETE_ONE_VERSION = 0;
const NO_BYTES = new Uint8Array(0);

/** The driver of our own: HBase's client protocol on protobuf-es' reader and writer, answers as blocks of cells. */
export class ThinLink implements ServerLink {
  readonly #connection: RpcConnection;

  constructor(init: LinkInit) {
    this.#connection = new RpcConnection(init, "ClientService");
  }

  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  get receivedBytes(): number {
    return this.#connection.receivedBytes;
  }

  get partialBytes(): number {
    return this.#connection.partialBytes;
  }

  get(region: Uint8Array, read: RowRead, leftMs: number): LinkCall<readonly Cell[]> {
    const request = requestTo(region).message(2, (get) => {
      get.bytes(1, read.row);
      writeFamilies(get, 2, 1, read.families);
      const { filter } = read;
      if (filter) get.message(4, (fields) => fields.text(1, filter.name).bytes(2, filter.bytes));
    });
    return this.#connection.call("Get", request.finish(), leftMs, cellsOf);
  }

  write(
    region: Uint8Array,
    write: RowWrite,
    check: CellCheck | undefined,
    leftMs: number,
  ): LinkCall<boolean> {
    const request = requestTo(region).message(2, (mutation) => writeMutation(mutation, write));
    if (check) request.message(3, (condition) => writeCondition(condition, write.row, check));
    return this.#connection.call("Mutate", request.finish(), leftMs, ({ message }) =>
      check ? message.number(2) === 1 : true,
    );
  }

  scan(region: Uint8Array, read: RowsRead, leftMs: number): LinkCall<readonly ResultRow[]> {
    const request = requestTo(region)
      .message(2, (scan) => {
        writeFamilies(scan, 1, 1, read.families);
        scan.bytes(3, read.from).number(15, read.isReversed);
      })
      .number(4, read.limit)
      .number(5, true)
      .number(11, read.limit);
    return this.#connection.call("Scan", request.finish(), leftMs, rowsOf);
  }

  close(): void {
    this.#connection.close();
  }
}

function requestTo(region: Uint8Array): Fields {
  return new Fields().message(1, (specifier) => specifier.number(1, REGION_NAME).bytes(2, region));
}

function writeFamilies(fields: Fields, column: number, name: number, families: readonly string[]): void {
  for (const family of families) fields.message(column, (one) => one.text(name, family));
}

function writeMutation(fields: Fields, { kind, row, cells }: RowWrite): void {
  fields.bytes(1, row).number(2, kind === "put" ? PUT : DELETE);
  for (let from = 0; from < cells.length; ) {
    const { family } = cells[from] as NewCell;
    let to = from;
    while (to < cells.length && cells[to]?.family === family) to++;
    const columns = cells.slice(from, to);
    fields.message(3, (column) => {
      column.text(1, family);
      for (const cell of columns) column.message(2, (one) => writeCell(one, kind, cell));
    });
    from = to;
  }
}

function writeCell(fields: Fields, kind: RowWrite["kind"], cell: NewCell): void {
  fields.bytes(1, cell.qualifier);
  if (kind === "put") fields.bytes(2, cell.value);
  if (cell.timestamp !== undefined) fields.number(3, cell.timestamp);
  if (kind === "mark") fields.number(4, DELETE_ONE_VERSION);
}

function writeCondition(fields: Fields, row: Uint8Array, { family, qualifier, expected }: CellCheck): void {
  fields.bytes(1, row).text(2, family).bytes(3, qualifier).number(4, EQUAL);
  fields.message(5, (comparator) => {
    comparator.text(1, BINARY_COMPARATOR).bytes(2, binaryComparator(expected ?? NO_BYTES));
  });
}

/** A server that sent them elsewhere would make every row look empty. */
function cellsOf({ message, cells }: RpcAnswer): readonly Cell[] {
  const count = message.message(1)?.number(2) ?? 0;
  if (count !== cells.length) throw new RangeError(`${cells.length} cells where ${count} were announced`);
  return cells;
}

/** Cells come in one block, and beside it how many each row has. */
function rowsOf({ message, cells }: RpcAnswer): ResultRow[] {
  let at = 0;
  return cellCounts(message).map((count) => {
    const own = cells.slice(at, at + count);
    at += count;
    const [first] = own as readonly RowCell[];
    return { key: first?.row ?? NO_BYTES, cells: own };
  });
}

function cellCounts(message: ReadFields): number[] {
  return message.numbers(1).filter((count) => count > 0);
}
