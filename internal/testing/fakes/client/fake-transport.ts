import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import type { HeddleError } from "../../../../client/index.ts";
import type {
  CallOptions,
  Stream,
  StreamOptions,
  Transport,
  UnaryMethod,
} from "../../../../client/transport/transport.ts";
import { unreachable } from "../../../../client/transport/wire.ts";
import {
  type ClientFrame,
  type Event,
  EventSchema,
  type ServerFrame,
  ServerFrameSchema,
} from "../../../gen/heddle/push/v1/frame_pb.js";

type Arm = Exclude<Event["kind"], { case: undefined }>;

/** One event, as a test writes it: `{ case: "behind", value: { … } }`. */
export type EventInit = { [K in Arm["case"]]: { case: K; value: object } }[Arm["case"]];

/** A server whose streams and answers a test holds in its hand: for what a real one does only when it breaks. */
export class FakeTransport implements Transport {
  /** Every stream ever opened, the newest last. */
  readonly streams: FakeStream[] = [];
  /** Every unary call, by the method's name. */
  readonly calls: { readonly name: string; readonly request: unknown; readonly token: string }[] = [];
  /** Answers by the method's name; what is missing gets an empty message. It may throw. */
  readonly answers: Record<string, (request: never) => object | Promise<object>> = {};
  /** Whether the client has closed it. */
  isClosed = false;

  async call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    init: MessageInitShape<I>,
    { token }: CallOptions,
  ): Promise<MessageShape<O>> {
    const request = create(method.input, init);
    this.calls.push({ name: method.name, request, token });
    const answer = await this.answers[method.name]?.(request as never);
    return create(method.output, (answer ?? {}) as MessageInitShape<O>);
  }

  open(options: StreamOptions): Stream {
    const stream = new FakeStream(options);
    this.streams.push(stream);
    return stream;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The newest stream. */
  get stream(): FakeStream {
    const stream = this.streams.at(-1);
    if (!stream) throw new Error("no stream was opened");
    return stream;
  }

  /** Requests of one method, as it got them. */
  requests<T>(name: string): T[] {
    return this.calls.filter((call) => call.name === name).map(({ request }) => request as T);
  }
}

/** One stream: what the client said on it, and what the test has it hear. */
export class FakeStream implements Stream {
  readonly options: StreamOptions;
  /** Every frame of the client's, in order. */
  readonly said: ClientFrame[] = [];
  /** Whether the client has closed it. */
  isClosed = false;
  #waiting: ServerFrame[] = [];
  #end: { readonly error: HeddleError | undefined } | undefined;
  #wake: () => void = () => {};

  constructor(options: StreamOptions) {
    this.options = options;
  }

  say(frame: ClientFrame): Promise<undefined> {
    if (this.isClosed || this.#end) return Promise.reject(unreachable("closed"));
    this.said.push(frame);
    return Promise.resolve(undefined);
  }

  close(): void {
    this.isClosed = true;
    this.#wake();
  }

  /** The client hears these events, in one frame. */
  hear(...kinds: readonly EventInit[]): void {
    const events = kinds.map((kind) => create(EventSchema, { kind } as never));
    this.#waiting.push(create(ServerFrameSchema, { events }));
    this.#wake();
  }

  /** The client hears that it is open, and caught up with `cursor`. `history`: what it is told of the data. */
  welcome(userId: string, cursor = new Uint8Array([1]), history: object = {}): void {
    const opened = { sessionId: new Uint8Array(16), userId, pingIntervalMs: 15_000, ...history };
    this.hear({ case: "opened", value: opened }, { case: "caughtUp", value: { cursor } });
  }

  /** The server ends the stream. */
  end(error?: HeddleError): void {
    this.#end = { error };
    this.#wake();
  }

  /** What was said of one kind. */
  frames<K extends ClientFrame["kind"]["case"]>(
    kind: K,
  ): Extract<ClientFrame["kind"], { case: K }>["value"][] {
    const kinds = this.said.map((frame) => frame.kind).filter((each) => each.case === kind);
    return kinds.map((each) => each.value) as never;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServerFrame> {
    for (;;) {
      const frame = this.#waiting.shift();
      if (frame) yield frame;
      else if (this.isClosed) return;
      else if (this.#end) {
        if (this.#end.error) throw this.#end.error;
        return;
      } else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
