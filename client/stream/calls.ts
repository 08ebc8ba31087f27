import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ErrorReason } from "../../internal/base/heddle-error.ts";
import type { Transport, UnaryMethod } from "../transport/transport.ts";
import { asError } from "../transport/wire.ts";
import type { Tokens } from "./tokens.ts";

/** The deadline of a unary call: longer than the server's own deadline of an append, 10 s. */
const CALL_MS = 12_000;

/**
 * Unary calls with the user token. A token that has run out is fetched anew, once per call.
 * Nothing else is repeated here: WriteCalls repeats what must be done once, and reads are asked for again by who shows
 * them.
 */
export class Calls {
  readonly #transport: Transport;
  readonly #tokens: Tokens;
  readonly #signal: AbortSignal;

  /** `signal` ends with the client, and every call with it. */
  constructor(transport: Transport, tokens: Tokens, signal: AbortSignal) {
    this.#transport = transport;
    this.#tokens = tokens;
    this.#signal = signal;
  }

  /**
   * Makes a call. Rejects with HeddleError, or as the signal does. While the application fetches a token the call waits
   * for it, beyond its own deadline.
   */
  async call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    signal?: AbortSignal,
  ): Promise<MessageShape<O>> {
    const token = await this.#tokens.get();
    try {
      return await this.#once(method, request, token, signal);
    } catch (thrown) {
      const error = asError(thrown);
      // A revoked device stays revoked under any token: a second try would only ask in vain.
      if (error.code !== Code.UNAUTHENTICATED || error.reason === ErrorReason.DEVICE_REVOKED) throw thrown;
      this.#tokens.drop(token);
      return await this.#once(method, request, await this.#tokens.get(), signal);
    }
  }

  async #once<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    token: string,
    signal: AbortSignal | undefined,
  ): Promise<MessageShape<O>> {
    this.#signal.throwIfAborted();
    signal?.throwIfAborted();
    // By hand, and undone below: AbortSignal.any would leave one listener per call on the signal that lives as long as
    // the client.
    const ends = new AbortController();
    const end = () => ends.abort(signal?.aborted ? signal.reason : this.#signal.reason);
    this.#signal.addEventListener("abort", end);
    signal?.addEventListener("abort", end);
    try {
      return await this.#transport.call(method, request, { token, timeoutMs: CALL_MS, signal: ends.signal });
    } catch (thrown) {
      signal?.throwIfAborted();
      throw thrown;
    } finally {
      this.#signal.removeEventListener("abort", end);
      signal?.removeEventListener("abort", end);
    }
  }
}
