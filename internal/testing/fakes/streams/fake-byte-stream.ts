import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { HeddleError } from "../../../base/heddle-error.ts";
import { ClientFrameSchema, type Event, ServerFrameSchema } from "../../../gen/heddle/push/v1/frame_pb.js";
import type { ByteStream } from "../../../rpc/calls/byte-stream.ts";
import type { Call } from "../../../rpc/calls/handlers.ts";

type Kind = Event["kind"]["case"];
type Value<K extends Kind> = Extract<Event["kind"], { case: K }>["value"];

/** A stream with a client at its other end that a test plays: it reads, or stops reading, and says frames. */
export class FakeByteStream implements ByteStream {
  readonly call: Call;
  /** The writes as they came, whether they have left or not. */
  readonly writes: Uint8Array[] = [];
  /** What the client has received. */
  readonly events: Event[] = [];
  /** Whether the server reads from the client. */
  isReading = true;
  /** How the stream ended: undefined while it has not, "ok", or the error. */
  ended: HeddleError | "ok" | undefined;
  readonly #highWaterBytes: number;
  /** Writes that the client has not taken. */
  readonly #buffered: Uint8Array[] = [];
  #clientReads = true;
  /** The server was told to wait, from above the high water mark until nothing is buffered. */
  #isHeld = false;
  #onDrain = () => {};
  #onMessage: (bytes: Uint8Array) => void = () => {};
  #onHalfClose = () => {};
  #onClose = () => {};

  /** `highWaterBytes`: beyond so many in the buffer `write` says that the server is to wait. */
  constructor(call: Call, highWaterBytes = 16 * 1024) {
    this.call = call;
    this.#highWaterBytes = highWaterBytes;
  }

  get bufferedBytes(): number {
    return this.#buffered.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  write(bytes: Uint8Array): boolean {
    if (this.ended !== undefined) return true;
    this.writes.push(bytes);
    if (this.#clientReads) {
      this.#receive(bytes);
      return true;
    }
    this.#buffered.push(bytes);
    if (this.bufferedBytes > this.#highWaterBytes) this.#isHeld = true;
    return !this.#isHeld;
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  onMessage(callback: (bytes: Uint8Array) => void): void {
    this.#onMessage = callback;
  }

  onHalfClose(callback: () => void): void {
    this.#onHalfClose = callback;
  }

  onClose(callback: () => void): void {
    this.#onClose = callback;
  }

  pause(): void {
    this.isReading = false;
  }

  resume(): void {
    this.isReading = true;
  }

  end(error?: HeddleError): void {
    if (this.ended !== undefined) return;
    this.ended = error ?? "ok";
    this.#onClose();
  }

  fail(error: unknown): void {
    this.end(HeddleError.from(error, this.call.requestId));
  }

  /** The client stops taking bytes. */
  stopReading(): void {
    this.#clientReads = false;
  }

  /** The client takes everything that is buffered, and what comes. */
  startReading(): void {
    this.#clientReads = true;
    this.readSome(Number.POSITIVE_INFINITY);
  }

  /** The client takes the oldest `writes` writes. */
  readSome(writes: number): void {
    for (const bytes of this.#buffered.splice(0, writes)) this.#receive(bytes);
    if (!this.#isHeld || this.#buffered.length > 0) return;
    this.#isHeld = false;
    this.#onDrain();
  }

  /** The client says a frame. */
  say(kind: MessageInitShape<typeof ClientFrameSchema>["kind"]): void {
    this.sayBytes(toBinary(ClientFrameSchema, create(ClientFrameSchema, { kind } as never)));
  }

  /** The client says these bytes, a frame or not. */
  sayBytes(bytes: Uint8Array): void {
    this.#onMessage(bytes);
  }

  /** The client has taken so many events; left out, all that it has received. */
  ack(upTo = this.events.length): void {
    this.say({ case: "ack", value: { upTo: BigInt(upTo) } as never });
  }

  /** The client will say nothing more, and still listens. */
  halfClose(): void {
    this.#onHalfClose();
  }

  /** The network or the client ends the stream. */
  drop(): void {
    if (this.ended === undefined) this.ended = "ok";
    this.#onClose();
  }

  /** The events of a kind that the client has received. */
  of<K extends NonNullable<Kind>>(kind: K): Value<K>[] {
    return this.events
      .filter((event) => event.kind.case === kind)
      .map((event) => event.kind.value as Value<K>);
  }

  /** The kinds of the events received, in order. */
  get kinds(): Kind[] {
    return this.events.map((event) => event.kind.case);
  }

  #receive(bytes: Uint8Array): void {
    this.events.push(...fromBinary(ServerFrameSchema, bytes).events);
  }
}
