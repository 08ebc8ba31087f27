import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { LinkContext } from "./item-stream.ts";
import { type LinkCaller, LinkClient } from "./link-client.ts";
import type { LinkMethod, LinkNotice } from "./link-methods.ts";
import type { LinkStream } from "./link-stream.ts";
import { peerUnavailable } from "./peer-errors.ts";

/** After a link broke the next is dialled so much later, in ms; twice that after each that broke before an answer. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 1_000;

export interface KeptLinkInit extends LinkContext {
  readonly service: string;
  readonly dial: () => LinkStream;
}

/**
 * A link to a service whose calls stand each for itself: dialled when first needed, and again when it broke. Calls are
 * never repeated here: who repeats a send counts its attempts. While it may not be dialled yet they are refused at once.
 */
export class KeptLink implements LinkCaller {
  readonly #init: KeptLinkInit;
  #link: LinkClient | undefined;
  #waitMs = FIRST_WAIT_MS;
  #dialAtMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(init: KeptLinkInit) {
    this.#init = init;
  }

  async call<I extends DescMessage, O extends DescMessage>(
    method: LinkMethod<I, O>,
    request: MessageInitShape<I>,
    budgetMs: number,
  ): Promise<MessageShape<O>> {
    const link = this.#open();
    if (!link) throw peerUnavailable(this.#init.service);
    const answer = await link.call(method, request, budgetMs);
    this.#waitMs = FIRST_WAIT_MS;
    return answer;
  }

  notify<I extends DescMessage>(notice: LinkNotice<I>, said: MessageInitShape<I>): void {
    this.#open()?.notify(notice, said);
  }

  close(): void {
    this.#isClosed = true;
    this.#link?.close();
  }

  #open(): LinkClient | undefined {
    if (this.#link && !this.#link.isClosed) return this.#link;
    const { clock, dial } = this.#init;
    if (this.#isClosed || clock.monotonicMs() < this.#dialAtMs) return undefined;
    this.#link = new LinkClient({
      ...this.#init,
      stream: dial(),
      closed: () => {
        this.#dialAtMs = clock.monotonicMs() + this.#waitMs;
        this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
      },
    });
    return this.#link;
  }
}
