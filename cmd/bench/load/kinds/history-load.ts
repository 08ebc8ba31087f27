import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { ListEntriesRequestSchema } from "../../../../internal/gen/heddle/message/v1/message_service_pb.js";
import { ClosedLoop } from "../pace/closed-loop.ts";
import { GrpcConnection } from "../wire/grpc-connection.ts";

const LIST_ENTRIES = "/heddle.message.v1.MessageService/ListEntries";
const CALL_MS = 10_000;

/** Threads with history, each with a member who reads it on a TCP connection of its own. */
export interface HistoryOptions {
  readonly grpcUrl: string;
  readonly threads: readonly {
    readonly token: string;
    readonly threadId: Uint8Array;
    readonly seq: number;
  }[];
  readonly pageSize: number;
  /** Pages that each reader asks for at a time. */
  readonly inFlight: number;
}

/** Readers that ask for full pages at random places of their threads, as fast as they come. */
export class HistoryLoad extends ClosedLoop {
  readonly #connections: GrpcConnection[] = [];

  start({ grpcUrl, threads, pageSize, inFlight }: HistoryOptions): void {
    const readers = threads.flatMap((thread) => {
      const connection = new GrpcConnection(grpcUrl);
      this.#connections.push(connection);
      return Array.from({ length: inFlight }, () => () => readPage(connection, thread, pageSize));
    });
    this.begin(readers);
  }

  override async stop(): Promise<void> {
    await super.stop();
    for (const connection of this.#connections) connection.close();
  }
}

async function readPage(
  connection: GrpcConnection,
  { token, threadId, seq }: HistoryOptions["threads"][number],
  pageSize: number,
): Promise<void> {
  // So that every page is full: from the whole first page on.
  const beforeSeq = pageSize + 1 + Math.floor(Math.random() * (seq - pageSize));
  const position = { case: "beforeSeq" as const, value: BigInt(beforeSeq) };
  const request = create(ListEntriesRequestSchema, { threadId, position, pageSize });
  const bytes = toBinary(ListEntriesRequestSchema, request);
  const entries = entriesIn(await connection.unary(LIST_ENTRIES, token, bytes, CALL_MS));
  if (entries !== pageSize) throw new Error(`a page of ${pageSize} had ${entries} entries`);
}

/** Entries of a ListEntriesResponse: its field 1, counted without decoding. */
function entriesIn(page: Uint8Array): number {
  const reader = new BinaryReader(page);
  let entries = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) entries++;
    reader.skip(wireType, field);
  }
  return entries;
}
