import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { ListEntriesRequestSchema } from "../../../internal/gen/heddle/message/v1/message_service_pb.js";
import { GrpcConnection } from "./grpc-connection.ts";
import { Latencies } from "./latency.ts";

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
export class HistoryLoad {
  readonly #latencies = new Latencies();
  #pages = 0;
  #isRunning = false;
  #running: Promise<unknown> = Promise.resolve();
  #problem: unknown;

  start({ grpcUrl, threads, pageSize, inFlight }: HistoryOptions): void {
    this.#isRunning = true;
    const readers = threads.flatMap(({ token, threadId, seq }) => {
      const connection = new GrpcConnection(grpcUrl);
      const read = async () => {
        while (this.#isRunning) {
          const beforeSeq = pageSize + 1 + Math.floor(Math.random() * (seq - pageSize));
          await this.#page(connection, token, threadId, beforeSeq, pageSize);
        }
      };
      const reading = Promise.all(Array.from({ length: inFlight }, read));
      return reading.finally(() => connection.close());
    });
    this.#running = Promise.all(readers).catch((error) => {
      this.#problem ??= error;
    });
  }

  /** Pages read so far. Throws if one could not be. */
  done(): number {
    if (this.#problem) throw this.#problem;
    return this.#pages;
  }

  resetLatencies(): void {
    this.#latencies.reset();
  }

  latencies(): string {
    return this.#latencies.encode();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#running;
    this.done();
  }

  async #page(
    connection: GrpcConnection,
    token: string,
    threadId: Uint8Array,
    beforeSeq: number,
    pageSize: number,
  ): Promise<void> {
    const position = { case: "beforeSeq" as const, value: BigInt(beforeSeq) };
    const request = create(ListEntriesRequestSchema, { threadId, position, pageSize });
    const startedMs = performance.now();
    const page = await connection.unary(
      LIST_ENTRIES,
      token,
      toBinary(ListEntriesRequestSchema, request),
      CALL_MS,
    );
    this.#latencies.add(performance.now() - startedMs);
    const entries = entriesIn(page);
    if (entries !== pageSize) throw new Error(`a page of ${pageSize} had ${entries} entries`);
    this.#pages++;
  }
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
