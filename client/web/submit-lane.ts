import { toBinary } from "@bufbuild/protobuf";
import type { Transport as RpcTransport } from "@connectrpc/connect";
import { ErrorReason } from "../../internal/base/heddle-error.ts";
import { type ClientFrame, ClientFrameSchema } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import {
  PushService,
  type SubmitResponse_Outcome,
} from "../../internal/gen/heddle/push/v1/push_service_pb.js";
import { unreachable } from "../transport/wire.ts";
import { fromConnectError } from "./errors.ts";
import type { Ticket } from "./ticket.ts";

/** Frames of one Submit, as many as the contract allows (SubmitRequest.frames). */
const MOST_FRAMES = 256;
/** Bytes of one Submit, of the 64 KiB that the contract allows: what is left is for the request around the frames. */
const MOST_BYTES = 60 * 1024;
/** Bytes around each frame in the request: its tag, and a length of up to three. */
const AROUND_FRAME = 4;
/** Deadline of a Submit, in ms: longer than the server takes to answer with the outcomes it knows. */
const SUBMIT_MS = 12_000;

/** What Submits go by. */
export interface SubmitLaneDeps {
  readonly rpc: RpcTransport;
  readonly ticket: Ticket;
  /** Aborts when the stream is closed: Submits under way end, and the outcomes of their frames are not known. */
  readonly signal: AbortSignal;
  /** Submits under way at a time. A browser has few connections. */
  readonly width: number;
}

/** A frame that was said and has no outcome yet. */
interface Waiting {
  readonly frame: ClientFrame;
  readonly bytes: number;
  readonly resolve: (outcome: SubmitResponse_Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Frames in order, as many in a Submit as have come in the meantime. A Submit is never repeated here. */
export class SubmitLane {
  readonly #deps: SubmitLaneDeps;
  /** In order. Bounded by who says them: the outbox has so many sends under way at a time, other frames are few. */
  #waiting: Waiting[] = [];
  /** Submits under way. */
  #running = 0;

  constructor(deps: SubmitLaneDeps) {
    this.#deps = deps;
  }

  /** Resolves with the frame's outcome. Rejects with HeddleError when that is not known. */
  say(frame: ClientFrame): Promise<SubmitResponse_Outcome> {
    return new Promise((resolve, reject) => {
      const bytes = toBinary(ClientFrameSchema, frame).length;
      this.#waiting.push({ frame, bytes, resolve, reject });
      queueMicrotask(() => this.#pump()); // Frames that are said in one turn go together.
    });
  }

  #pump(): void {
    while (this.#running < this.#deps.width && this.#waiting.length > 0) {
      const batch = this.#take();
      this.#running += 1;
      void this.#submit(batch).finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }

  /** As many as one Submit may have. One frame always goes: of one that is too large the server says so. */
  #take(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const each of this.#waiting.slice(0, MOST_FRAMES)) {
      bytes += each.bytes + AROUND_FRAME;
      if (count > 0 && bytes > MOST_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #submit(batch: readonly Waiting[]): Promise<void> {
    const { rpc, ticket, signal } = this.#deps;
    try {
      const header = { authorization: `Bearer ${await ticket.current()}` };
      const request = { frames: batch.map(({ frame }) => frame) };
      const answer = await rpc.unary(PushService.method.submit, signal, SUBMIT_MS, header, request);
      batch.forEach((each, at) => {
        const outcome = answer.message.outcomes[at];
        if (outcome) each.resolve(outcome);
        else each.reject(unreachable("the server left the frame's outcome out"));
      });
    } catch (thrown) {
      const error = fromConnectError(thrown);
      // The frames fail all the same: nothing here repeats one, since who repeats a send must count its tries.
      if (error.reason === ErrorReason.TOKEN_EXPIRED) ticket.expire();
      for (const each of batch) each.reject(error);
    }
  }
}
