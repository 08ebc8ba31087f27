import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Member, Ring } from "../../base/ring.ts";
import type { LinkContext } from "./item-stream.ts";
import { KeptLink } from "./kept-link.ts";
import type { LinkCaller } from "./link-client.ts";
import type { LinkMethod } from "./link-methods.ts";
import type { LinkStream } from "./link-stream.ts";

export interface KeptLinksInit extends LinkContext {
  readonly service: string;
  /** All members that are registered, those that leave among them: the mirror itself, and not its ring of those that serve. */
  readonly registered: Pick<Ring, "view" | "onChange">;
  /** Must not throw: what cannot be reached breaks. */
  readonly dial: (member: Pick<Member, "address">) => LinkStream;
}

/** Of a member, what its link goes by. */
type Target = Pick<Member, "address" | "incarnation">;

/** A link that is kept, and how many calls wait for an answer over it. */
interface Kept {
  readonly target: Target;
  readonly link: KeptLink;
  waiting: number;
}

/**
 * A program's links to the members of a service, for calls that stand each for itself: one to each registration of a
 * member, dialled when first needed. A member that has registered again is dialled anew: the link to what it was may be
 * dead, which only its keepalive would tell. A link to a registration that is no more is closed once nothing waits for an
 * answer over it: each call has its deadline, so it is closed in the end. While the members are not loaded, all are kept.
 */
export class KeptLinks {
  readonly #init: KeptLinksInit;
  readonly #stopWatching: () => void;
  /** By address and incarnation. */
  readonly #kept = new Map<string, Kept>();
  #isClosed = false;

  constructor(init: KeptLinksInit) {
    this.#init = init;
    this.#stopWatching = init.registered.onChange(() => this.#follow());
  }

  /** Links that are held. */
  get size(): number {
    return this.#kept.size;
  }

  /** Asks the member. It may be kept: a link that was closed is dialled anew when it is needed. */
  to({ address, incarnation }: Target): LinkCaller {
    const target = { address, incarnation };
    return {
      call: (method, request, budgetMs) => this.#call(target, method, request, budgetMs),
      notify: (notice, said) => {
        this.#open(target).link.notify(notice, said);
        this.#follow();
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    for (const { link } of this.#kept.values()) link.close();
    this.#kept.clear();
  }

  async #call<I extends DescMessage, O extends DescMessage>(
    target: Target,
    method: LinkMethod<I, O>,
    request: MessageInitShape<I>,
    budgetMs: number,
  ): Promise<MessageShape<O>> {
    const kept = this.#open(target);
    kept.waiting++;
    try {
      return await kept.link.call(method, request, budgetMs);
    } finally {
      kept.waiting--;
      if (kept.waiting === 0) this.#closeUnneeded(kept);
    }
  }

  #open(target: Target): Kept {
    const key = keyOf(target);
    const held = this.#kept.get(key);
    if (held) return held;
    const { dial } = this.#init;
    const kept: Kept = {
      target,
      link: new KeptLink({ ...this.#init, dial: () => dial(target) }),
      waiting: 0,
    };
    if (this.#isClosed) kept.link.close();
    else this.#kept.set(key, kept);
    return kept;
  }

  #follow(): void {
    for (const kept of this.#kept.values()) this.#closeUnneeded(kept);
  }

  #closeUnneeded(kept: Kept): void {
    const { state, members } = this.#init.registered.view();
    const key = keyOf(kept.target);
    if (kept.waiting > 0 || state === "not_loaded" || members.some((member) => keyOf(member) === key)) return;
    kept.link.close();
    if (this.#kept.get(key) === kept) this.#kept.delete(key);
  }
}

function keyOf({ address, incarnation }: Target): string {
  return `${incarnation} ${address}`;
}
