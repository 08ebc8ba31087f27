import { type Clock, sleep } from "../../../base/clock.ts";
import { Deadlines } from "../../../stream/deadlines.ts";
import { type RpcAnswer, RpcConnection } from "../thin/rpc-connection.ts";
import type { FindRoute } from "../wall/driver.ts";
import { HbaseError } from "../wall/hbase-error.ts";
import { Fields, type ReadFields } from "../wall/protobuf-fields.ts";
import type { Quorum } from "./quorum.ts";
import type { Region } from "./region-map.ts";
import { readNote } from "./zookeeper-notes.ts";

export interface HbaseMasterInit {
  readonly quorum: Quorum;
  readonly findRoute: FindRoute;
  readonly clock: Clock;
}

/** How a table is kept, by HBase's own words: {"DURABILITY": "FSYNC_WAL"}. */
export interface TableDescription {
  readonly attributes: Readonly<Record<string, string>>;
  /** By name. */
  readonly families: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** How long the master may take for an answer, in ms. What it then does takes longer, and is asked for. */
const CALL_MS = 5_000;
/** How long what it does may take, in ms. */
const PROCEDURE_MS = 60_000;
/** How often it is asked whether it has done it, in ms. */
const LOOK_MS = 100;

const ENCODED_REGION_NAME = 2;
const FINISHED = 2;
const NAMESPACE = "default";

/**
 * What HBase's master does for us: tables at the start, regions in tests. Each question on a connection of its own, by our
 * own RPC whatever the driver is: the library knows no master. Methods reject with HbaseError.
 */
export class HbaseMaster {
  readonly #init: HbaseMasterInit;
  readonly #deadlines: Deadlines;

  constructor(init: HbaseMasterInit) {
    this.#init = init;
    this.#deadlines = new Deadlines(init.clock);
  }

  /** Undefined where there is no such table. */
  async describe(table: string): Promise<TableDescription | undefined> {
    const request = new Fields().message(1, (name) => writeTableName(name, table));
    const answer = await this.#ask("GetTableDescriptors", request);
    const [schema] = answer.messages(1);
    return schema && descriptionOf(schema);
  }

  /** Resolves when its regions serve. `splitKeys`: where it is cut, in ascending order. */
  async createTable(
    table: string,
    description: TableDescription,
    splitKeys: readonly Uint8Array[],
  ): Promise<void> {
    const request = new Fields().message(1, (schema) => writeDescription(schema, table, description));
    for (const key of splitKeys) request.bytes(2, key);
    await this.#do("CreateTable", request);
  }

  /** Moves a region to a server, "host,port,start code", or where the master likes. Resolves when it serves there. */
  async moveRegion(region: Region, server?: string): Promise<void> {
    const [, hash = ""] = idOf(region);
    const request = new Fields().message(1, (fields) => fields.number(1, ENCODED_REGION_NAME).text(2, hash));
    if (server !== undefined) request.message(2, (to) => writeServerName(to, server));
    await this.#ask("MoveRegion", request, PROCEDURE_MS);
  }

  /** Cuts a region at a row. Resolves when both halves serve. */
  async splitRegion(table: string, region: Region, row: Uint8Array): Promise<void> {
    const request = new Fields()
      .message(1, (info) => {
        info.number(1, Number(idOf(region)[0])).message(2, (name) => writeTableName(name, table));
        info.bytes(3, region.start).bytes(4, region.end).number(5, false).number(6, false).number(7, 0);
      })
      .bytes(2, row);
    await this.#do("SplitRegion", request);
  }

  /** Names of the region servers that serve, "host,port,start code". */
  async regionServers(): Promise<string[]> {
    const answer = await this.#ask("GetClusterStatus", new Fields());
    const servers = answer.message(1)?.messages(2) ?? [];
    return servers.map((server) => {
      const name = server.message(1);
      return `${name?.text(1)},${name?.number(2)},${name?.number(3)}`;
    });
  }

  /** Takes a table away, with all that is in it. For tests. */
  async dropTable(table: string): Promise<void> {
    const request = () => new Fields().message(1, (name) => writeTableName(name, table));
    await this.#do("DisableTable", request());
    await this.#do("DeleteTable", request());
  }

  async #do(method: string, request: Fields): Promise<void> {
    const { clock } = this.#init;
    const endMs = clock.monotonicMs() + PROCEDURE_MS;
    const id = (await this.#ask(method, request)).number(1) ?? 0;
    for (;;) {
      const state = await this.#ask("getProcedureResult", new Fields().number(1, id));
      const exception = state.message(5)?.message(2);
      if (exception) throw HbaseError.answered(exception.text(1) ?? "", exception.text(2) ?? "", true);
      if (state.number(1) === FINISHED) return;
      if (clock.monotonicMs() > endMs) throw HbaseError.late(method, PROCEDURE_MS);
      await sleep(clock, LOOK_MS);
    }
  }

  async #ask(method: string, request: Fields, ms = CALL_MS): Promise<ReadFields> {
    const { quorum, findRoute, clock } = this.#init;
    const address = await readNote(quorum, "master", clock);
    const connection = new RpcConnection({ address, findRoute, clock, onClosed: () => {} }, "MasterService");
    try {
      const read = ({ message }: RpcAnswer) => message;
      const { answer } = connection.call(method, request.finish(), ms, read);
      return await this.#deadlines.bound(answer, ms, () => HbaseError.late(method, ms));
    } finally {
      connection.close();
    }
  }
}

function writeTableName(fields: Fields, table: string): void {
  fields.text(1, NAMESPACE).text(2, table);
}

function writeServerName(fields: Fields, server: string): void {
  const [host = "", port, startCode] = server.split(",");
  fields.text(1, host).number(2, Number(port)).number(3, Number(startCode));
}

function writeDescription(fields: Fields, table: string, { attributes, families }: TableDescription): void {
  const writePairs = (pairs: Readonly<Record<string, string>>) => {
    for (const [key, value] of Object.entries(pairs))
      fields.message(2, (pair) => pair.text(1, key).text(2, value));
  };
  fields.message(1, (name) => writeTableName(name, table));
  writePairs(attributes);
  for (const [family, own] of Object.entries(families))
    fields.message(3, (column) => {
      column.text(1, family);
      writePairs(own);
    });
}

function descriptionOf(schema: ReadFields): TableDescription {
  const pairsOf = (fields: ReadFields) =>
    Object.fromEntries(fields.messages(2).map((pair) => [pair.text(1) ?? "", pair.text(2) ?? ""]));
  const families = schema.messages(3).map((column) => [column.text(1) ?? "", pairsOf(column)] as const);
  return { attributes: pairsOf(schema), families: Object.fromEntries(families) };
}

/** The end of "table,start key,id.hash.": id and hash. */
function idOf({ name }: Region): string[] {
  const text = Buffer.from(name).toString("latin1");
  return text.slice(text.lastIndexOf(",") + 1).split(".");
}
