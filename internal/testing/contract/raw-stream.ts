import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, Metadata, type StatusObject } from "@grpc/grpc-js";
import { channelTo } from "../../../client/grpc/channel.ts";
import { fromStatus } from "../../../client/grpc/errors.ts";
import type { HeddleError } from "../../base/heddle-error.ts";
import { ClientFrameSchema, type Event, ServerFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";

/** Which event, by the name of its arm. */
export type EventKind = NonNullable<Event["kind"]["case"]>;
/** What an event of a kind holds. */
export type EventValue<K extends EventKind> = Extract<Event["kind"], { case: K }>["value"];

const CONNECT = "/heddle.push.v1.PushService/Connect";

/** A bare Connect stream, for tests that say what no well-behaved client says. Acknowledges nothing by itself. */
export class RawStream {
  /** Everything that came, in order. */
  readonly events: Event[] = [];
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #status: Promise<StatusObject>;
  /** How many `next` has gone past. */
  #seen = 0;
  #waiters: (() => void)[] = [];
  #over = false;

  /** `ca`: PEM of who signs the server's certificate, where the URL is https. */
  constructor(grpcUrl: string, ticket: string | undefined, ca?: Uint8Array) {
    const { address, credentials, options } = channelTo(grpcUrl, ca);
    this.#client = new Client(address, credentials, { "grpc.use_local_subchannel_pool": 1, ...options });
    const metadata = new Metadata();
    if (ticket !== undefined) metadata.set("authorization", `Bearer ${ticket}`);
    const plain = (bytes: Buffer) => bytes;
    this.#call = this.#client.makeBidiStreamRequest<Buffer, Buffer>(CONNECT, plain, plain, metadata);
    this.#call.on("data", (bytes: Buffer) => {
      this.events.push(...fromBinary(ServerFrameSchema, bytes).events);
      this.#wake();
    });
    this.#call.on("error", () => {}); // The status says it.
    this.#status = new Promise((resolve) => this.#call.on("status", resolve));
    this.#status.then(() => {
      this.#over = true;
      this.#client.close();
      this.#wake();
    });
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  /** Says a frame. */
  say(kind: MessageInitShape<typeof ClientFrameSchema>["kind"]): void {
    this.sayBytes(toBinary(ClientFrameSchema, create(ClientFrameSchema, { kind } as never)));
  }

  /** Says bytes as they are. Returns false where the stream holds the writer. */
  sayBytes(bytes: Uint8Array): boolean {
    if (this.#over) return true;
    return this.#call.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  /** Resolves when the stream takes more, or has ended. */
  drained(): Promise<unknown> {
    return Promise.race([new Promise((resolve) => this.#call.once("drain", resolve)), this.#status]);
  }

  /** The first frame of a well-behaved client. Without a cursor everything is told. */
  open(deviceId: string, cursor: Uint8Array = new Uint8Array(0)): void {
    this.say({ case: "open", value: { deviceId, cursor } as never });
  }

  /** Pings every 10 s until the stream ends, as a client must that is not to be taken for gone. */
  keepAlive(): void {
    const pinging = setInterval(() => this.say({ case: "ping", value: {} as never }), 10_000);
    this.#status.then(() => clearInterval(pinging));
  }

  /** Acknowledges everything that came so far. */
  ack(): void {
    this.say({ case: "ack", value: { upTo: BigInt(this.events.length) } as never });
  }

  /** Stops reading, so that flow control holds the server; and goes on. */
  pause(): void {
    this.#call.pause();
  }
  resume(): void {
    this.#call.resume();
  }

  /** The next event of a kind, skipping others. Rejects if the stream ends first. */
  async next<K extends EventKind>(
    kind: K,
    matches: (value: EventValue<K>) => boolean = () => true,
  ): Promise<EventValue<K>> {
    for (;;) {
      while (this.#seen < this.events.length) {
        const event = this.events[this.#seen++] as Event;
        if (event.kind.case === kind && matches(event.kind.value as EventValue<K>))
          return event.kind.value as EventValue<K>;
      }
      if (this.#over) throw (await this.ended()) ?? new Error(`the stream ended without ${kind}`);
      await this.#woken();
    }
  }

  /** Resolves to true when more than `count` events have come, to false if the stream ends before. */
  async more(count: number): Promise<boolean> {
    while (this.events.length <= count && !this.#over) await this.#woken();
    return this.events.length > count;
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Resolves when the stream has ended: to its error, or undefined for OK. */
  async ended(): Promise<HeddleError | undefined> {
    const status = await this.#status;
    return status.code === 0 ? undefined : fromStatus(status);
  }

  /** Ends the stream at once. */
  close(): void {
    this.#call.cancel();
  }
}
