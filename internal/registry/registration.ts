import type { Clock } from "../base/clock.ts";
import { afterTurns } from "../stream/turns.ts";
import { type Offer, type Registry, RegistryAway, type ServingState } from "./registry.ts";

/** How often the lease is kept alive, in ms. */
const KEEP_ALIVE_MS = 2_000;

/**
 * How long after *sending* the last keepalive that was answered the process is sure of its lease, in ms, by its own
 * monotonic clock. The registry counts its ten seconds from a later moment: what is sure here is true there.
 */
export const SURE_MS = 7_000;

/** How long the registry is waited for, in ms. */
const ANSWER_MS = 2_000;

export interface RegistrationInit {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly offer: Omit<Offer, "state">;
  /** It is registered, for the first time or anew, as this incarnation. */
  readonly registered?: (incarnation: number) => void;
  /** The registration is gone: what rests on it ends. A new incarnation follows. */
  readonly lost?: () => void;
  /** The highest number of the service that this process has seen, such as its mirror's. */
  readonly seen?: () => number;
}

/**
 * A process's own place in the registry: registered, kept alive, and registered anew, as a new incarnation, whenever the
 * lease was lost or the registry has forgotten it, whatever the registry's library says.
 */
export class Registration {
  readonly #init: RegistrationInit;
  #lease: string | undefined;
  #incarnation = 0;
  /** The highest that was ever taken here: what comes next is above it. */
  #highest = 0;
  #sureUntilMs = Number.NEGATIVE_INFINITY;
  #state: ServingState = "serving";
  #load: number | undefined;
  #isOver = false;
  #cancel: (() => void) | undefined;

  constructor(init: RegistrationInit) {
    this.#init = init;
  }

  /** The number of the registration; 0 while there is none. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** Whether it surely stands in the registry at this moment. */
  isSure(): boolean {
    return this.#incarnation > 0 && this.#init.clock.monotonicMs() < this.#sureUntilMs;
  }

  /** Registers, now and for as long as it takes. Resolves when the first try was answered, or not. */
  start(): Promise<void> {
    return this.#beat();
  }

  /** Nothing new is allotted to it from now on. Resolves when the registry has it, or does not answer. */
  async leaving(): Promise<void> {
    this.#state = "leaving";
    await this.#tellState();
  }

  /** In the service's own unit; told with the next keepalive. */
  tellLoad(load: number): void {
    this.#load = load;
  }

  /** Gives the place up. If the registry does not answer, the lease runs out. */
  async revoke(): Promise<void> {
    const lease = this.#lease;
    this.stop();
    if (lease !== undefined) await this.#ask((registry) => registry.revoke(lease)).catch(() => {});
  }

  /** Keeps nothing alive any more. */
  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.#forget();
  }

  async #beat(): Promise<void> {
    if (this.#isOver) return;
    try {
      if (this.#lease === undefined) await this.#register();
      else await this.#keepAlive(this.#lease);
    } catch {
      // The registry does not answer: `isSure` runs out by itself, and the next beat asks again.
    }
    if (!this.#isOver) this.#cancel = this.#init.clock.after(KEEP_ALIVE_MS, () => void this.#beat());
  }

  async #register(): Promise<void> {
    const { clock, offer, seen, registered } = this.#init;
    const sentAtMs = clock.monotonicMs();
    const above = Math.max(this.#highest, seen?.() ?? 0);
    const grant = await this.#ask((registry) => registry.register({ ...offer, state: this.#state }, above));
    if (grant === "taken") return; // By our own lease that is not known to us, or by the one before: it runs out.
    if (this.#isOver) {
      await this.#ask((registry) => registry.revoke(grant.lease));
      return;
    }
    this.#lease = grant.lease;
    this.#incarnation = grant.incarnation;
    this.#highest = grant.incarnation;
    this.#sureUntilMs = sentAtMs + SURE_MS;
    registered?.(grant.incarnation);
  }

  async #keepAlive(lease: string): Promise<void> {
    const sentAtMs = this.#init.clock.monotonicMs();
    const isAlive = await this.#ask((registry) => registry.keepAlive(lease));
    if (this.#isOver || lease !== this.#lease) return;
    if (isAlive) {
      this.#sureUntilMs = Math.max(this.#sureUntilMs, sentAtMs + SURE_MS);
      const load = this.#load;
      if (load !== undefined) await this.#ask((registry) => registry.tellLoad(lease, load));
      return;
    }
    this.#forget();
    await this.#register();
  }

  async #tellState(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined) return;
    await this.#ask((registry) => registry.setState(lease, this.#state)).catch(() => false);
  }

  #forget(): void {
    const wasRegistered = this.#incarnation > 0;
    this.#lease = undefined;
    this.#incarnation = 0;
    this.#sureUntilMs = Number.NEGATIVE_INFINITY;
    if (wasRegistered && !this.#isOver) this.#init.lost?.();
  }

  #ask<T>(call: (registry: Registry) => Promise<T>): Promise<T> {
    return answered(this.#init.clock, ANSWER_MS, call(this.#init.registry));
  }
}

/** The registry's answer, or RegistryAway after `ms` in which this process did not stand still. */
export function answered<T>(clock: Clock, ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = afterTurns(clock, ms, () => reject(new RegistryAway()));
    answer.then(resolve, reject).finally(cancel);
  });
}
