import type { Transport as RpcTransport } from "@connectrpc/connect";
import type { ClientFrame, ServerFrame } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import {
  PushService,
  type SubmitResponse_Outcome,
} from "../../internal/gen/heddle/push/v1/push_service_pb.js";
import type { Stream, StreamOptions } from "../transport/transport.ts";
import { unreachable } from "../transport/wire.ts";
import { fromConnectError } from "./errors.ts";
import { SubmitLane } from "./submit-lane.ts";
import { Ticket } from "./ticket.ts";

/**
 * Subscribe and Submit as one stream. Sends wait for their outcome, so acks, pings and receipts have a lane of their
 * own: a slow append must not look like a silent client.
 */
export class WebStream implements Stream {
  /** At the push server that the permit names. */
  readonly #rpc: RpcTransport;
  readonly #options: StreamOptions;
  readonly #ticket: Ticket;
  readonly #sends: SubmitLane;
  readonly #others: SubmitLane;
  readonly #end = new AbortController();

  constructor(rpc: RpcTransport, options: StreamOptions) {
    this.#rpc = rpc;
    this.#options = options;
    this.#ticket = new Ticket(options.permit, options.renew);
    const lane = (width: number) =>
      new SubmitLane({ rpc, ticket: this.#ticket, signal: this.#end.signal, width });
    // Two, so that what is typed next does not wait for an append that is slow. The other lane's frames are cheap.
    this.#sends = lane(2);
    this.#others = lane(1);
    options.signal.addEventListener("abort", () => this.close(), { once: true });
  }

  /** Resolves with the outcome in the Submit's answer; the stream carries none. Rejects where it is not known. */
  say(frame: ClientFrame): Promise<SubmitResponse_Outcome | undefined> {
    if (this.#end.signal.aborted) return Promise.reject(unreachable("the stream is closed"));
    return (frame.kind.case === "send" ? this.#sends : this.#others).say(frame);
  }

  /** Ends the Subscribe and the Submits under way. Twice is fine. */
  close(): void {
    this.#end.abort();
  }

  /** Once. Frames until the server ends it; throws HeddleError where it broke. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ServerFrame> {
    const { permit, deviceId, cursor } = this.#options;
    const header = { authorization: `Bearer ${permit.ticket}` };
    const request = one({ deviceId, cursor });
    try {
      const { subscribe } = PushService.method;
      const answer = await this.#rpc.stream(subscribe, this.#end.signal, undefined, header, request);
      for await (const frame of answer.message) {
        this.#ticket.notice(frame);
        yield frame;
      }
    } catch (thrown) {
      throw fromConnectError(thrown);
    }
  }
}

/** connect-web has the request of every stream as a sequence. */
async function* one<T>(value: T): AsyncGenerator<T> {
  yield value;
}
