import { Backoff } from "../../../../client/stream/backoff.ts";
import type { Transport } from "../../../../client/transport/transport.ts";
import { asError } from "../../../../client/transport/wire.ts";
import { sleep, systemClock } from "../../../base/clock.ts";
import { ErrorReason, type HeddleError } from "../../../base/heddle-error.ts";
import { hex, newUuid } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { place } from "../../fakes/client/tapped-transport.ts";
import type { SeededRandom } from "../../fakes/time/seeded-random.ts";
import type { LoadTexts } from "./load-texts.ts";
import type { SendLedger } from "./send-ledger.ts";

/** Who sends, to which user, over what, and who keeps account of it. */
export interface PlainSenderInit {
  readonly userId: string;
  readonly to: string;
  readonly token: string;
  /** Tapped, so that what ResolveSend answers is known. */
  readonly transport: Transport;
  readonly random: SeededRandom;
  readonly ledger: SendLedger;
  readonly texts: LoadTexts;
}

/** Sends under way at a time. */
const LANES = 4;
const DEADLINE_MS = 5_000;
/** It is told nothing of a server that is back, so it does not wait long. */
const MOST_WAIT_MS = 1_000;

/** One send, as it is repeated. */
interface Send {
  readonly clientId: Uint8Array;
  readonly baseSeq: bigint;
  readonly text: string;
}

/**
 * A client of a few lines, on unary calls: where a call does not say what became of a send it repeats it, or asks
 * ResolveSend, with a seal or without, as chance has it. It stops only when it knows.
 */
export class PlainSender {
  /** Its name among the devices of the test. */
  readonly name: string;
  readonly #init: PlainSenderInit;
  readonly #random: SeededRandom;
  #isTalking = true;
  #isStopped = false;
  /** The highest seq that it was told: the base of its next send. */
  #highest = 0n;

  constructor(init: PlainSenderInit) {
    this.#init = init;
    this.name = `${init.userId}/plain`;
    this.#random = init.random.fork(this.name);
  }

  /** Sends until it is hushed. Resolves when the outcome of every send is known. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, () => this.#lane()));
  }

  /** Sends nothing new. */
  hush(): void {
    this.#isTalking = false;
  }

  /** Gives up, whatever is not known. */
  stop(): void {
    this.#isTalking = false;
    this.#isStopped = true;
  }

  /** One send after the other: each is seen through before the next. */
  async #lane(): Promise<void> {
    const { userId, to, texts } = this.#init;
    while (this.#isTalking) {
      const text = texts.make(userId, hex(directThreadId(userId, to)), this.#random);
      await this.#see({ clientId: newUuid(Date.now()), baseSeq: this.#highest, text });
    }
  }

  /** Sees a send through. */
  async #see(send: Send): Promise<void> {
    const backoff = new Backoff(() => this.#random.fraction());
    for (let attempt = 1; !this.#isStopped; attempt++) {
      if (await this.#try(send, attempt)) return;
      await sleep(systemClock, Math.min(MOST_WAIT_MS, backoff.nextDelayMs()));
      if (this.#random.chance(0.5) && (await this.#resolve(send, this.#random.chance(0.5)))) return;
    }
  }

  /** Whether the outcome is known now. */
  async #try({ clientId, baseSeq, text }: Send, attempt: number): Promise<boolean> {
    const { ledger, to } = this.#init;
    const lane = {};
    ledger.tried(hex(clientId), this.name, lane);
    try {
      const { threadId, seq, createdAtMs, duplicate } = await this.#call(MessageService.method.send, {
        target: { case: "toUserId", value: to },
        clientId,
        baseSeq,
        attempt,
        body: { kind: { case: "text", value: { text } } },
      });
      ledger.placed(hex(clientId), this.name, place(threadId, seq, createdAtMs), duplicate);
      this.#init.texts.kept(text);
      if (seq > this.#highest) this.#highest = seq;
      return true;
    } catch (thrown) {
      ledger.refused(hex(clientId), lane);
      return this.#isOver(clientId, asError(thrown));
    }
  }

  /** Only a seal of its own, whose answer was lost, makes a refusal the end of a send that would be taken. */
  #isOver(clientId: Uint8Array, error: HeddleError): boolean {
    const isSealed = error.reason === ErrorReason.SEALED;
    if (isSealed) this.#init.ledger.never(hex(clientId));
    else if (error.committedNever) this.#init.ledger.breaches.push(`${this.name}: ${error.message}`);
    return isSealed;
  }

  /** Whether the outcome is known now. A text that was sealed is given up. */
  async #resolve({ clientId, baseSeq, text }: Send, seal: boolean): Promise<boolean> {
    try {
      const { outcome } = await this.#call(MessageService.method.resolveSend, {
        target: { case: "toUserId", value: this.#init.to },
        clientId,
        baseSeq,
        seal,
      });
      if (outcome.case === "committed") this.#init.texts.kept(text);
      return outcome.case !== "unknown";
    } catch {
      return false;
    }
  }

  get #call() {
    const { transport, token } = this.#init;
    type Method = Parameters<Transport["call"]>[0];
    return <M extends Method>(
      method: M,
      request: Parameters<typeof transport.call<M["input"], M["output"]>>[1],
    ) =>
      transport.call<M["input"], M["output"]>(method, request, {
        token,
        timeoutMs: DEADLINE_MS,
        signal: undefined,
      });
  }
}
