import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { decodeJwt } from "jose";
import type {
  CallOptions,
  Stream,
  StreamOptions,
  Transport,
  UnaryMethod,
} from "../../../../client/transport/transport.ts";

/** A client's transport whose streams can be cut, and which knows where they lead. */
export class CutTransport implements Transport {
  readonly #inner: Transport;
  readonly #streams = new Map<Stream, string>();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<MessageShape<O>> {
    return this.#inner.call(method, request, options);
  }

  open(options: StreamOptions): Stream {
    const inner = this.#inner.open(options);
    const streams = this.#streams;
    const stream: Stream = {
      say: (frame) => inner.say(frame),
      close: () => inner.close(),
      async *[Symbol.asyncIterator]() {
        try {
          yield* inner;
        } finally {
          streams.delete(stream);
        }
      },
    };
    streams.set(stream, pushServerOf(options.permit.ticket));
    return stream;
  }

  /** Whether it has a stream to that push server. */
  isAt(pushServer: string): boolean {
    return [...this.#streams.values()].includes(pushServer);
  }

  /** Ends every stream from this side. */
  cut(): void {
    for (const stream of this.#streams.keys()) stream.close();
  }

  close(): void {
    this.#inner.close();
  }
}

/** The push server that a ticket is for: its claim, as Envoy reads it. */
function pushServerOf(ticket: string): string {
  const { push } = decodeJwt(ticket);
  return typeof push === "string" ? push : "";
}
