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

/** What was said last may still leave the process after `close`. */
const LINGER_MS = 250;

/** Connect: one bidirectional stream. Outcomes come on it as events. */
export class GrpcStream implements Stream {
  readonly #call: ClientDuplexStream<Buffer, Uint8Array>;
  #isClosed = false;

  /** Opens it and says `open`. */
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
    if (this.#isClosed || !this.#call.writable) return Promise.reject(unreachable("the stream is closed"));
    return new Promise((resolve, reject) => {
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
    setTimeout(() => this.#call.cancel(), LINGER_MS).unref();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServerFrame> {
    const status = new Promise<StatusObject>((resolve) => this.#call.once("status", resolve));
    try {
      for await (const bytes of this.#call) yield fromBinary(ServerFrameSchema, bytes as Uint8Array);
    } catch (thrown) {
      if (thrown instanceof Error && "code" in thrown && "details" in thrown) {
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
