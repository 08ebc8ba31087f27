import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { type Clock, sleep } from "../../internal/base/clock.ts";
import { Code, type HeddleError } from "../../internal/base/heddle-error.ts";
import { newUuid } from "../../internal/base/ids.ts";
import type { UnaryMethod } from "../transport/transport.ts";
import { asError } from "../transport/wire.ts";
import { Backoff } from "./backoff.ts";
import type { Calls } from "./calls.ts";

/** How long an outcome is asked for before the person is told that it is not known. */
const PATIENCE_MS = 30_000;

/**
 * Codes that leave open whether the server did it, or that pass by waiting. Any other is a refusal: the same request
 * would be refused again.
 */
const OPEN: ReadonlySet<Code> = new Set([
  Code.UNKNOWN,
  Code.CANCELLED,
  Code.DEADLINE_EXCEEDED,
  Code.RESOURCE_EXHAUSTED,
  Code.ABORTED,
  Code.INTERNAL,
  Code.UNAVAILABLE,
]);

/** What the calls are made with. */
export interface WriteCallsDeps {
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ends with the client. */
  readonly signal: AbortSignal;
}

/** Calls that change something: repeated under one request_id until their outcome is known, so each is done once. */
export class WriteCalls {
  readonly #deps: WriteCallsDeps;

  constructor(deps: WriteCallsDeps) {
    this.#deps = deps;
  }

  /** 16 bytes that name one wish, however often it is said. Make one per wish, not per try. */
  newRequestId(): Uint8Array<ArrayBuffer> {
    return newUuid(this.#deps.clock.nowMs()) as Uint8Array<ArrayBuffer>;
  }

  /**
   * Resolves to the server's answer to a request that has its request_id. Rejects with the HeddleError of a refusal,
   * with the last error if nothing is certain after 30 s (isOpen), or as the signal does.
   */
  async call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    signal?: AbortSignal,
  ): Promise<MessageShape<O>> {
    const { calls, clock, random } = this.#deps;
    const backoff = new Backoff(random);
    const untilMs = clock.monotonicMs() + PATIENCE_MS;
    for (;;) {
      try {
        return await calls.call(method, request, signal);
      } catch (thrown) {
        this.#deps.signal.throwIfAborted();
        signal?.throwIfAborted();
        const error = asError(thrown);
        const waitMs = backoff.nextDelayMs(error.retryAfterMs);
        // The deadline is looked at before the wait: a person is not kept waiting for a try that comes too late.
        if (!isOpen(error) || clock.monotonicMs() + waitMs > untilMs) throw thrown;
        await sleep(clock, waitMs, signal);
        this.#deps.signal.throwIfAborted();
      }
    }
  }
}

/**
 * Whether what was asked for may have been done, or may yet be. True means: ask again under the same request_id, or
 * look what became of it; never under another id.
 */
export function isOpen(error: HeddleError): boolean {
  return OPEN.has(error.code);
}
