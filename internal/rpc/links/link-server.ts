import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { HeddleError } from "../../base/heddle-error.ts";
import { Budget } from "./budget.ts";
import { ItemStream, type LinkContext } from "./item-stream.ts";
import { ITEM_BYTES, MAX_BUDGET_MS } from "./limits.ts";
import { type LinkItem, LinkItemKind } from "./link-frames.ts";
import { type LinkMethod, type LinkNotice, type NoticeHandler, noticeItem } from "./link-methods.ts";
import type { LinkStream } from "./link-stream.ts";
import { encodeRefusal, peerUnavailable } from "./peer-errors.ts";

/** A method of a link, with what answers it: `serves` makes one, checked by the compiler. */
export interface LinkHandler {
  readonly method: LinkMethod;
  readonly answer: (request: MessageShape<DescMessage>, budget: Budget) => unknown;
}

/** `answer` may answer at once or by a promise, rejects with HeddleError, and heeds the budget it is given. */
export function serves<I extends DescMessage, O extends DescMessage>(
  method: LinkMethod<I, O>,
  answer: (request: MessageShape<I>, budget: Budget) => MessageInitShape<O> | Promise<MessageInitShape<O>>,
): LinkHandler {
  return { method, answer: answer as LinkHandler["answer"] };
}

export interface LinkServerInit extends LinkContext {
  readonly stream: LinkStream;
  /** This service, in one word: for errors. */
  readonly service: string;
  readonly handlers: readonly LinkHandler[];
  readonly notices?: readonly NoticeHandler[];
  /** Told what a handler threw that is not ours; returns what is said instead. */
  readonly fault: (error: unknown) => HeddleError;
  readonly closed?: (reason: Error) => void;
}

/** What a link is served over, without what the service makes of it. */
export type LinkBelow = Omit<LinkServerInit, "service" | "handlers" | "notices" | "closed">;

/**
 * The end of a link that was dialled: it answers, each request once, in the order in which answers are there, and may
 * send notices. The other end is held (its stream is not read) while requests of more than `workBytes` are worked on, or
 * more than half of `queueBytes` waits for it. A request whose budget is spent is not begun.
 */
export class LinkServer {
  readonly #init: LinkServerInit;
  readonly #items: ItemStream;
  readonly #handlers: ReadonlyMap<number, LinkHandler>;
  readonly #notices: ReadonlyMap<number, NoticeHandler>;
  #workBytes = 0;

  constructor(init: LinkServerInit) {
    this.#init = init;
    this.#handlers = new Map(init.handlers.map((handler) => [handler.method.number, handler]));
    this.#notices = new Map(init.notices?.map((notice) => [notice.number, notice]));
    this.#items = new ItemStream(init.stream, init, {
      item: (item) => this.#take(item),
      drained: () => this.#holdOrRelease(),
      closed: (reason) => init.closed?.(reason),
    });
  }

  get isClosed(): boolean {
    return this.#items.isClosed;
  }

  /** What waits for the other end, in bytes. */
  get queuedBytes(): number {
    return this.#items.queuedBytes;
  }

  /** Requests that are being worked on, in bytes. */
  get workBytes(): number {
    return this.#workBytes;
  }

  notify<I extends DescMessage>(notice: LinkNotice<I>, said: MessageInitShape<I>): void {
    this.#items.send(noticeItem(notice, said));
    this.#holdOrRelease();
  }

  close(): void {
    this.#items.close(new Error("this end has closed the link"));
  }

  #take(item: LinkItem): void {
    if (item.kind === LinkItemKind.NOTICE) {
      this.#notices.get(item.method)?.hear(item.body);
      return;
    }
    if (item.kind !== LinkItemKind.REQUEST) throw new RangeError(`an item of kind ${item.kind}`);
    const bytes = ITEM_BYTES + item.body.length;
    this.#workBytes += bytes;
    this.#holdOrRelease();
    this.#answer(item).then((answer) => {
      this.#workBytes -= bytes;
      this.#items.send(answer);
      this.#holdOrRelease();
    });
  }

  /** Never rejects. */
  async #answer({ id, method, budgetMs, body }: LinkItem): Promise<LinkItem> {
    const answer = { id, method: 0, budgetMs: 0, goesOn: false };
    try {
      const handler = this.#handlers.get(method);
      if (!handler) throw peerUnavailable(this.#init.service, new Error(`no method ${method}`)); // Of a newer build.
      const { input, output } = handler.method;
      const request = fromBinary(input, body);
      const budget = new Budget(this.#init.clock, Math.min(budgetMs, MAX_BUDGET_MS));
      const said = (await handler.answer(request, budget)) as MessageInitShape<DescMessage>;
      return { ...answer, kind: LinkItemKind.ANSWER, body: toBinary(output, create(output, said)) };
    } catch (error) {
      const shown = error instanceof HeddleError ? error : this.#init.fault(error);
      return { ...answer, kind: LinkItemKind.REFUSAL, body: encodeRefusal(shown) };
    }
  }

  #holdOrRelease(): void {
    const { queueBytes, workBytes } = this.#init.limits;
    if (this.#workBytes > workBytes || this.#items.waitingBytes > queueBytes / 2) this.#items.hold();
    else if (this.#workBytes <= workBytes / 2) this.#items.release();
  }
}
