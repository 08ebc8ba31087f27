import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  OpenSessionRequestSchema,
  OpenSessionResponseSchema,
} from "../../../../internal/gen/heddle/gateway/v1/gateway_service_pb.js";
import { RefusedSchema } from "../../../../internal/gen/heddle/push/v1/frame_pb.js";
import { ackFrame, clientFrame } from "../wire/client-frames.ts";
import type { GrpcConnection, GrpcStream } from "../wire/grpc-connection.ts";
import { EVENT, type EventSink, readEvents } from "../wire/server-events.ts";

/** As the client library acks: after so many events, or so long after the last ack. */
const ACK_EVENTS = 32;
const ACK_MS = 200;

// In the interval that the server names by default.
const PING_MS = 15_000;
// A connect that takes longer is a trouble of the run. Under a storm of them some seconds are usual.
const OPEN_MS = 60_000;

const OPEN_SESSION = "/heddle.gateway.v1.GatewayService/OpenSession";
const CONNECT = "/heddle.push.v1.PushService/Connect";

/** Which user, and by which connections; their maker closes them. They may be one. */
export interface ChatClientOptions {
  readonly userId: string;
  readonly token: string;
  /** For OpenSession. */
  readonly gateway: GrpcConnection;
  /** For the stream. */
  readonly push: GrpcConnection;
}

/** What a load hears of its clients. The ids are views. */
export interface ChatClientSink {
  readonly onEntry?: (client: ChatClient, clientId: Uint8Array, seq: number) => void;
  readonly onAccepted?: (client: ChatClient, clientId: Uint8Array, seq: number) => void;
  /** A Presence, encoded. */
  readonly onPresence?: (client: ChatClient, presence: Uint8Array) => void;
  /** Something that a good run does not have: `refused`, `behind`, a stream that ends. */
  readonly onTrouble: (what: string) => void;
}

/**
 * The cheapest client that keeps to the contract: a session through the gateway, one stream, acks and pings as the
 * client library makes them. Reads of each event only what counting needs.
 */
export class ChatClient implements EventSink {
  readonly userId: string;
  /** The other user's client, its thread, and the highest seq held of it, as base_seq names it. */
  threadId: Uint8Array = new Uint8Array(16);
  heldSeq = 0;
  readonly #options: ChatClientOptions;
  readonly #sink: ChatClientSink;
  #stream: GrpcStream | undefined;
  #events = 0;
  #acked = 0;
  #ackedAtMs = 0;
  #pingedAtMs = performance.now();
  #caughtUp: () => void = () => {};

  constructor(options: ChatClientOptions, sink: ChatClientSink) {
    this.#options = options;
    this.#sink = sink;
    this.userId = options.userId;
  }

  /** OpenSession, Connect, `open`; resolves at `caught_up`. Rejects if that does not come. Again after `close`. */
  async open(): Promise<void> {
    const deviceId = "bench";
    const request = toBinary(OpenSessionRequestSchema, create(OpenSessionRequestSchema, { deviceId }));
    const { gateway, push, token } = this.#options;
    const answer = await gateway.unary(OPEN_SESSION, token, request, OPEN_MS);
    const { ticket } = fromBinary(OpenSessionResponseSchema, answer);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no caught_up in ${OPEN_MS} ms`)), OPEN_MS);
      this.#caughtUp = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#stream = push.stream(CONNECT, ticket, {
        onMessage: (bytes) => this.#receive(bytes),
        onEnd: (problem) => {
          clearTimeout(timer);
          this.#sink.onTrouble(`a stream ended: ${problem ?? "OK"}`);
          reject(new Error(problem ?? "ended"));
        },
      });
      this.say(clientFrame({ case: "open", value: { deviceId } as never }));
    });
  }

  /**
   * Says a frame that carries gRPC's five bytes. Nothing while it is closed. The bytes are taken: do not write into
   * them again.
   */
  say(frame: Buffer): void {
    this.#stream?.write(frame);
  }

  /** Acks and pings if it is time. To be called about every 50 ms. */
  tick(nowMs: number): void {
    if (this.#acked < this.#events && nowMs - this.#ackedAtMs >= ACK_MS) this.#ack();
    if (nowMs - this.#pingedAtMs < PING_MS) return;
    this.#pingedAtMs = nowMs;
    this.say(clientFrame({ case: "ping", value: {} as never }));
  }

  /** Ends the stream, silently. */
  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#events = 0;
    this.#acked = 0;
  }

  onEntry(clientId: Uint8Array, seq: number): void {
    if (seq > this.heldSeq) this.heldSeq = seq;
    this.#sink.onEntry?.(this, clientId, seq);
  }

  onAccepted(clientId: Uint8Array, seq: number): void {
    if (seq > this.heldSeq) this.heldSeq = seq;
    this.#sink.onAccepted?.(this, clientId, seq);
  }

  onOther(kind: number, bytes: Uint8Array): void {
    if (kind === EVENT.caughtUp) this.#caughtUp();
    else if (kind === EVENT.presence) this.#sink.onPresence?.(this, bytes);
    else if (kind === EVENT.refused)
      this.#sink.onTrouble(`refused: ${fromBinary(RefusedSchema, bytes).message}`);
    else if (kind === EVENT.behind || kind === EVENT.behindAll)
      this.#sink.onTrouble("behind: events were dropped");
    else if (kind === EVENT.draining) this.#sink.onTrouble("the server drains");
  }

  /** A ServerFrame. It may hold many events; each counts for the ack. */
  #receive(bytes: Buffer): void {
    this.#events += readEvents(bytes, this);
    if (this.#events - this.#acked >= ACK_EVENTS) this.#ack();
  }

  #ack(): void {
    this.#acked = this.#events;
    this.#ackedAtMs = performance.now();
    this.say(ackFrame(this.#events));
  }
}
