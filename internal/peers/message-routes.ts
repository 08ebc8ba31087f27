import { Code, HeddleError } from "../base/heddle-error.ts";
import { rendezvousOrder, rendezvousOwner } from "../base/rendezvous.ts";
import type { Member, Ring } from "../base/ring.ts";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";

/** So many message servers are asked for one thing: each has a deadline, and all together what the asker has. */
export const MAX_TRIES = 3;

export interface RoutesInit<Server> {
  /** The message servers that serve: `servingRing` of their mirror. */
  readonly ring: Pick<Ring, "view">;
  /** Where a member is asked: a client on its kept link. Called for every request. Must not throw. */
  readonly at: (member: Member) => Server;
}

/**
 * The message servers as those who ask them see them (docs/design.md, section 5, Several message servers): what concerns
 * a thread is asked of the rendezvous winner, and where that is UNAVAILABLE of the next one.
 */
export class MessageRoutes<Server> {
  readonly #init: RoutesInit<Server>;

  constructor(init: RoutesInit<Server>) {
    this.#init = init;
  }

  /** Asks about one thread (in hex). What is repeated must not mind. Rejects as the last one that was asked. */
  async ask<T>(thread: string, call: (server: Server) => Promise<T>): Promise<T> {
    const tried: Member[] = [];
    let refusal: unknown;
    for (let next = this.next(thread, tried); next; next = this.next(thread, tried)) {
      tried.push(next);
      try {
        return await call(this.#init.at(next));
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        refusal = error;
      }
    }
    throw refusal ?? peerUnavailable("message"); // Not made before: its stack costs what the rest of a call does.
  }

  /** Asks about many threads, each server about its own, and puts the answers together. */
  async askParts<Item, T>(
    items: readonly Item[],
    threadOf: (item: Item) => string,
    call: (server: Server, items: readonly Item[]) => Promise<ReadonlyMap<string, T>>,
    tried: readonly Member[] = [],
  ): Promise<ReadonlyMap<string, T>> {
    const parts = Map.groupBy(items, (item) => this.next(threadOf(item), tried));
    const asked = Array.from(parts, async ([member, part]) => {
      if (!member) throw peerUnavailable("message");
      try {
        return await call(this.#init.at(member), part);
      } catch (error) {
        const all = [...tried, member];
        if (!isUnavailable(error) || !this.hasNext(all)) throw error;
        return this.askParts(part, threadOf, call, all);
      }
    });
    return new Map((await Promise.all(asked)).flatMap((answer) => [...answer]));
  }

  /** Asks all. Rejects if one did not do it. */
  async askAll(call: (server: Server) => Promise<void>): Promise<void> {
    const outcomes = await Promise.allSettled(this.#members.map((member) => call(this.#init.at(member))));
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** A server by its member, for who goes through them without `ask`. */
  at(member: Member): Server {
    return this.#init.at(member);
  }

  /** Who is asked after those that were. Undefined: nobody; nothing is concluded from it, everything is UNAVAILABLE. */
  next(thread: string, tried: readonly Member[]): Member | undefined {
    const members = this.#members;
    if (tried.length === 0) return rendezvousOwner(members, thread);
    if (tried.length >= MAX_TRIES) return undefined;
    return rendezvousOrder(members, thread).find((one) => !wasTried(one, tried));
  }

  /** Whether `next` has somebody, of any thread: without the order that a hot path would pay for. */
  hasNext(tried: readonly Member[]): boolean {
    return tried.length < MAX_TRIES && this.#members.some((one) => !wasTried(one, tried));
  }

  /** Where the registry has lost what it held, those that it held last; while nothing was loaded, none. */
  get #members(): readonly Member[] {
    const { state, members } = this.#init.ring.view();
    return state === "not_loaded" ? [] : members;
  }
}

/** Whether another server may do what this one did not: its outcome is unknown here. */
export function isUnavailable(outcome: unknown): boolean {
  return outcome instanceof HeddleError && outcome.code === Code.UNAVAILABLE;
}

function wasTried({ name, incarnation }: Member, tried: readonly Member[]): boolean {
  return tried.some((other) => other.name === name && other.incarnation === incarnation);
}
