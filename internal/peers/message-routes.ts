import type { Clock } from "../base/clock.ts";
import { Code, HeddleError } from "../base/heddle-error.ts";
import { rendezvousOrder, rendezvousOwner } from "../base/rendezvous.ts";
import { type Member, type Ring, registrationKey } from "../base/ring.ts";
import { CALL_MS } from "../rpc/links/budget.ts";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";

/** So many message servers are asked for one thing: each has a deadline, and all together what the asker has. */
export const MAX_TRIES = 3;

/**
 * A server that let a request wait to the end is asked after the others for so long, in ms: or each send in a row would
 * wait as long for it. By then the registry has dropped it if it is gone.
 */
const SHUNNED_MS = 10_000;

export interface RoutesInit<Server> {
  readonly clock: Clock;
  /** The message servers that serve: `servingRing` of their mirror. */
  readonly ring: Pick<Ring, "view">;
  /** Where a member is asked: a client on its kept link. Called for every request. Must not throw. */
  readonly at: (member: Member) => Server;
}

/**
 * The message servers as those who ask them see them (docs/design.md, section 5, Several message servers): what concerns
 * a thread is asked of the rendezvous winner, and where that is UNAVAILABLE of the next one. One that did not answer at all
 * comes last for a while.
 */
export class MessageRoutes<Server> {
  readonly #init: RoutesInit<Server>;
  /** Servers that did not answer, by registration, with until when they come last, in monotonic ms. */
  readonly #shunned = new Map<string, number>();

  constructor(init: RoutesInit<Server>) {
    this.#init = init;
  }

  /** Asks about one thread (in hex). What is repeated must not mind. Rejects as the last one that was asked. */
  async ask<T>(thread: string, call: (server: Server) => Promise<T>): Promise<T> {
    const tried: Member[] = [];
    let refusal: unknown;
    for (let next = this.next(thread, tried); next; next = this.next(thread, tried)) {
      tried.push(next);
      const askedMs = this.#init.clock.monotonicMs();
      try {
        return await call(this.#init.at(next));
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        this.noteUnavailable(next, askedMs, CALL_MS);
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
      const askedMs = this.#init.clock.monotonicMs();
      try {
        return await call(this.#init.at(member), part);
      } catch (error) {
        if (isUnavailable(error)) this.noteUnavailable(member, askedMs, CALL_MS);
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

  /** A server was UNAVAILABLE for what it was asked at a moment, with a budget in ms: one that took all of it hangs. */
  noteUnavailable(member: Member, askedMs: number, budgetMs: number): void {
    const nowMs = this.#init.clock.monotonicMs();
    if (nowMs - askedMs >= budgetMs) this.#shunned.set(registrationKey(member), nowMs + SHUNNED_MS);
  }

  /** Who is asked after those that were. Undefined: nobody; nothing is concluded from it, everything is UNAVAILABLE. */
  next(thread: string, tried: readonly Member[]): Member | undefined {
    const members = this.#members;
    if (tried.length >= MAX_TRIES) return undefined;
    this.#forgive();
    if (tried.length === 0 && this.#shunned.size === 0) return rendezvousOwner(members, thread);
    const left = rendezvousOrder(members, thread).filter((one) => !wasTried(one, tried));
    return left.find((one) => !this.#shunned.has(registrationKey(one))) ?? left[0];
  }

  /** Whether `next` has somebody, of any thread: without the order that a hot path would pay for. */
  hasNext(tried: readonly Member[]): boolean {
    return tried.length < MAX_TRIES && this.#members.some((one) => !wasTried(one, tried));
  }

  #forgive(): void {
    if (this.#shunned.size === 0) return;
    const nowMs = this.#init.clock.monotonicMs();
    for (const [key, untilMs] of this.#shunned) if (untilMs <= nowMs) this.#shunned.delete(key);
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

function wasTried(member: Member, tried: readonly Member[]): boolean {
  return tried.some(({ name, incarnation }) => name === member.name && incarnation === member.incarnation);
}
