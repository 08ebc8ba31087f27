import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Deadlines } from "../../stream/deadlines.ts";
import { ItemStream, type LinkContext } from "./item-stream.ts";
import { MAX_BUDGET_MS } from "./limits.ts";
import { type LinkItem, LinkItemKind } from "./link-frames.ts";
import { type LinkMethod, type LinkNotice, type NoticeHandler, noticeItem } from "./link-methods.ts";
import type { LinkStream } from "./link-stream.ts";
import { decodeRefusal, linkFull, peerUnavailable } from "./peer-errors.ts";

/** Asks a service of another program. */
export interface LinkCaller {
  /**
   * Resolves to the answer. Rejects with what the service refused it with; with OVERLOADED, unasked, where the link is
   * full; else with PEER_UNAVAILABLE, outcome unknown, at the latest `budgetMs` (and a quarter second) from now.
   */
  call<I extends DescMessage, O extends DescMessage>(
    method: LinkMethod<I, O>,
    request: MessageInitShape<I>,
    budgetMs: number,
  ): Promise<MessageShape<O>>;
  /** Tells. Where the link is closed or full it is closed, and the notice lost with it. */
  notify<I extends DescMessage>(notice: LinkNotice<I>, said: MessageInitShape<I>): void;
}

export interface LinkClientInit extends LinkContext {
  readonly stream: LinkStream;
  /** The service at the other end, in one word: for errors. */
  readonly service: string;
  readonly notices?: readonly NoticeHandler[];
  /** Called once, after every call that waited was rejected. */
  readonly closed?: (reason: Error) => void;
}

interface Waiting {
  readonly output: DescMessage;
  resolve(answer: MessageShape<DescMessage>): void;
  reject(error: Error): void;
}

/** The end of a link that dialled: it asks, hears answers, and hears notices. For as long as one stream lives. */
export class LinkClient implements LinkCaller {
  readonly #init: LinkClientInit;
  readonly #items: ItemStream;
  readonly #deadlines: Deadlines;
  readonly #waiting = new Map<number, Waiting>();
  readonly #notices: ReadonlyMap<number, NoticeHandler>;
  #lastId = 0;

  constructor(init: LinkClientInit) {
    this.#init = init;
    this.#deadlines = new Deadlines(init.clock);
    this.#notices = new Map(init.notices?.map((notice) => [notice.number, notice]));
    this.#items = new ItemStream(init.stream, init, {
      item: (item) => this.#take(item),
      drained: () => {},
      closed: (reason) => this.#closed(reason),
    });
  }

  get isClosed(): boolean {
    return this.#items.isClosed;
  }

  /** When the other end was heard last, by the monotonic clock. */
  get heardAtMs(): number {
    return this.#items.heardAtMs;
  }

  /** Calls that wait for an answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  async call<I extends DescMessage, O extends DescMessage>(
    method: LinkMethod<I, O>,
    request: MessageInitShape<I>,
    budgetMs: number,
  ): Promise<MessageShape<O>> {
    const { service } = this.#init;
    if (this.#items.isClosed) throw peerUnavailable(service);
    if (!this.#items.hasRoom) throw linkFull(service);
    const id = ++this.#lastId;
    const answer = new Promise<MessageShape<DescMessage>>((resolve, reject) => {
      this.#waiting.set(id, { output: method.output, resolve, reject });
    });
    this.#items.send({
      id,
      kind: LinkItemKind.REQUEST,
      method: method.number,
      budgetMs: Math.min(Math.max(1, Math.floor(budgetMs)), MAX_BUDGET_MS),
      goesOn: false,
      body: toBinary(method.input, create(method.input, request)),
    });
    return (await this.#deadlines.bound(answer, budgetMs, () => {
      this.#waiting.delete(id);
      return peerUnavailable(service);
    })) as MessageShape<O>;
  }

  notify<I extends DescMessage>(notice: LinkNotice<I>, said: MessageInitShape<I>): void {
    this.#items.send(noticeItem(notice, said));
  }

  /** A goodbye. */
  close(): void {
    this.#items.close(new Error("this end has closed the link"));
  }

  #take({ id, kind, method, body }: LinkItem): void {
    if (kind === LinkItemKind.NOTICE) {
      this.#notices.get(method)?.hear(body); // One that is not known is of a newer build.
      return;
    }
    if (kind !== LinkItemKind.ANSWER && kind !== LinkItemKind.REFUSAL)
      throw new RangeError(`an item of kind ${kind}`);
    const waiting = this.#waiting.get(id);
    if (!waiting) return; // Too late: given up.
    this.#waiting.delete(id);
    if (kind === LinkItemKind.REFUSAL) waiting.reject(decodeRefusal(this.#init.service, body));
    else this.#settle(waiting, body);
  }

  #settle(waiting: Waiting, body: Uint8Array): void {
    try {
      waiting.resolve(fromBinary(waiting.output, body));
    } catch (cause) {
      waiting.reject(peerUnavailable(this.#init.service, cause));
      throw cause;
    }
  }

  #closed(reason: Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(peerUnavailable(this.#init.service, reason));
    this.#init.closed?.(reason);
  }
}
