import { create, toBinary } from "@bufbuild/protobuf";
import { systemClock } from "../../base/clock.ts";
import { ServerFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { PushService } from "../../gen/heddle/push/v1/push_service_pb.js";
import type { ByteStream } from "../../rpc/calls/byte-stream.ts";
import { bind, type ServiceBinding } from "../../rpc/calls/handlers.ts";
import { authenticateTickets } from "../../rpc/credentials/tickets.ts";

/** A push server that checks tickets as a real one does, says its name, and otherwise does what a test wants. */
export class PushStandIn {
  readonly name: string;
  /** Streams that are open, in the order in which they came. */
  readonly streams = new Set<ByteStream>();
  submits = 0;
  readonly #keys: Parameters<typeof authenticateTickets>[0];
  #onStream: (stream: ByteStream) => void = () => {};

  constructor(name: string, keys: Parameters<typeof authenticateTickets>[0]) {
    this.name = name;
    this.#keys = keys;
  }

  /** Is called with each stream that comes, after its first event. */
  onStream(callback: (stream: ByteStream) => void): void {
    this.#onStream = callback;
  }

  /** Tells every stream something: an event each. */
  tellAll(): void {
    const frame = event({ case: "pong", value: {} });
    for (const stream of this.streams) stream.write(frame);
  }

  get binding(): ServiceBinding {
    return bind(PushService, authenticateTickets(this.#keys, this.name, systemClock), {
      connect: (stream) => this.#serve(stream),
      subscribe: (_, stream) => this.#serve(stream),
      submit: async ({ frames }) => {
        this.submits += 1;
        return { outcomes: frames.map(() => ({ kind: { case: "taken" as const, value: {} } })) };
      },
    });
  }

  /** The first event has the name of this server where a real one has the user's. */
  #serve(stream: ByteStream): void {
    this.streams.add(stream);
    stream.onClose(() => this.streams.delete(stream));
    stream.onMessage(() => {}); // It listens, and does nothing.
    stream.write(event({ case: "opened", value: { userId: this.name } }));
    this.#onStream(stream);
  }
}

/** An encoded ServerFrame of one event. */
export function event(kind: object): Uint8Array {
  return toBinary(ServerFrameSchema, create(ServerFrameSchema, { events: [{ kind: kind as never }] }));
}
