import type { DescMessage, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { ByteStream } from "./byte-stream.ts";
import type { Call, Caller } from "./call.ts";

export type { Call, Caller };

/** Answers one call. The request has passed the rules of the schema. Rejects with HeddleError. */
export type UnaryHandler<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> = (
  request: MessageShape<I>,
  call: Call,
) => Promise<MessageInitShape<O>>;

/** Takes over a bidirectional stream. Messages arrive undecoded and unchecked: the handler looks at each. */
export type BidiHandler = (stream: ByteStream) => void;

/** Takes over the server's half of a stream whose one request has passed the rules of the schema. */
export type ServerStreamHandler<I extends DescMessage = DescMessage> = (
  request: MessageShape<I>,
  stream: ByteStream,
) => void;

/** A handler for every method of a service, by the method's camelCase name. */
export type Handlers<S extends DescService> = {
  readonly [K in keyof S["method"]]: S["method"][K] extends {
    methodKind: infer Kind;
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? Kind extends "unary"
      ? UnaryHandler<I, O>
      : Kind extends "server_streaming"
        ? ServerStreamHandler<I>
        : Kind extends "bidi_streaming"
          ? BidiHandler
          : never
    : never;
};

/**
 * Turns the value of the `authorization` header into a caller. `opensStream` says that the call is a stream, for
 * which a ticket is good for a shorter time. Rejects with UNAUTHENTICATED.
 */
export type Authenticate = (authorization: string | undefined, opensStream: boolean) => Promise<Caller>;

/** A service ready to be put on listeners: what it is, who may call it, and what answers. */
export interface ServiceBinding {
  readonly desc: DescService;
  readonly authenticate: Authenticate;
  /** By the method's camelCase name. Only `bind` makes this record, so names and types are right. */
  readonly handlers: Readonly<Record<string, unknown>>;
  /** Methods that are handed requests whose parts may break rules: they answer for each part. */
  readonly piecewise: ReadonlySet<string>;
}

/**
 * Binds handlers to a service, checked by the compiler: each method has one, with the right types. Of the requests of
 * `piecewise` methods only the fields themselves are checked (how many frames, say), not the messages in them: the
 * handler does that, one by one.
 */
export function bind<S extends DescService>(
  desc: S,
  authenticate: Authenticate,
  handlers: Handlers<S>,
  options: { readonly piecewise?: readonly (keyof Handlers<S> & string)[] } = {},
): ServiceBinding {
  return { desc, authenticate, handlers, piecewise: new Set(options.piecewise) };
}
