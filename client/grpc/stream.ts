import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Client, ClientDuplexStream, Metadata, StatusObject } from "@grpc/grpc-js";
import {
  type ClientFrame,
  ClientFrameSchema,
  type ServerFrame,
  ServerFrameSchema,
} from "../../internal/gen/heddle/push/v1/frame_pb.js";
import { PushService } from "../../internal/gen/heddle/push/v1/push_service_pb.js";
import type { Stream, StreamOptions } from "../transport/transport.ts";
import { unreachable } from "../transport/wire.ts";
import { fromStatus } from "./errors.ts";

/**
 * How long what was said last may take to leave the process after `close`, in ms. Cancelling at once would drop it: the
 * last ack and receipts would be told again to the next session.
 */
const LINGER_MS = 250;

/**
 * Connect: one bidirectional stream. Outcomes come on it as events, so `say` resolves with none of them.
 * Frames pass through grpc-js as bytes: they are encoded and decoded here.
 */
export class GrpcStream implements Stream {
  readonly #call: ClientDuplexStream<Buffer, Uint8Array>;
  #isClosed = false;

  /**
   * Opens it and says `open`, which must be the first frame. `metadata` carries the ticket. An abort of `signal` closes
   * it.
   */
  constructor(client: Client, metadata: Metadata, { deviceId, cursor, signal }: StreamOptions) {
    const { connect } = PushService.method;
    this.#call = client.makeBidiStreamRequest<Buffer, Uint8Array>(
      `/${connect.parent.typeName}/${connect.name}`,
      (bytes) => bytes,
      (bytes) => bytes,
      metadata,
    );
    this.#call.on("error", () => {}); // The iterator throws it; a stream nobody reads must not end the process.
    signal.addEventListener("abort", () => this.close(), { once: true });
    const open = create(ClientFrameSchema, { kind: { case: "open", value: { deviceId, cursor } } });
    this.#call.write(encode(open));
  }

  say(frame: ClientFrame): Promise<undefined> {
    // A write to a call that has ended would be dropped by grpc-js without a word.
    if (this.#isClosed || !this.#call.writable) return Promise.reject(unreachable("the stream is closed"));
    return new Promise((resolve, reject) => {
      // Called back when grpc-js has taken the frame, which is not yet when the server has it: only its ack says that.
      this.#call.write(encode(frame), (error: Error | null | undefined) => {
        if (error) reject(unreachable("the stream broke", error));
        else resolve(undefined);
      });
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#call.end();
    // Without it a server that never ends its half would keep the call, and its memory, for ever.
    setTimeout(() => this.#call.cancel(), LINGER_MS).unref();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServerFrame> {
    // Listened for before the first read: the event comes once, and may come before the last bytes are taken.
    const status = new Promise<StatusObject>((resolve) => this.#call.once("status", resolve));
    try {
      for await (const bytes of this.#call) yield fromBinary(ServerFrameSchema, bytes as Uint8Array);
    } catch (thrown) {
      if (thrown instanceof Error && "code" in thrown && "details" in thrown) {
        // What grpc-js throws here lacks the trailer with the details; the status event has it.
        throw fromStatus(await status, thrown);
      }
      throw thrown;
    }
    const ended = await status;
    if (ended.code !== 0) throw fromStatus(ended);
  }
}

function encode(frame: ClientFrame): Buffer {
  const bytes = toBinary(ClientFrameSchema, frame);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
