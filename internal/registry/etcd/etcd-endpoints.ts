import { type Etcd3, GRPCDeadlineExceededError } from "etcd3";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { RegistryAway } from "../registry.ts";

/** One member of etcd, as this process reaches it. */
export interface EtcdEndpoint {
  /** `host:port`. */
  readonly address: string;
  readonly etcd: Etcd3;
}

/** Asks one member; rejects at `deadline` at the latest. Safe to be asked of several, one after another or at once. */
export type EtcdCall<T> = (etcd: Etcd3, deadline: Date) => Promise<T>;

/** How long a member is waited for before the next is asked too, in ms: a paused one must not use up the deadline. */
const PATIENCE_MS = 250;

/** After all have failed, before they are asked again, in ms: an election takes one to two seconds. */
const ROUND_MS = 100;

/** The members of etcd: the one that answered last is asked first, the others when it fails or is slow. */
export class EtcdEndpoints {
  readonly #clock: Clock;
  readonly #endpoints: readonly EtcdEndpoint[];
  readonly #log: Logger;
  #first = 0;
  #isAway = false;
  #isClosed = false;

  /** `endpoints`: at least one. */
  constructor(endpoints: readonly EtcdEndpoint[], clock: Clock, log: Logger) {
    this.#endpoints = endpoints;
    this.#clock = clock;
    this.#log = log;
  }

  /** The one to ask first. */
  get first(): EtcdEndpoint {
    return this.#at(this.#first);
  }

  /** Another one is to be asked first. Nothing changes if that is so already. */
  moveOn(from: EtcdEndpoint): void {
    if (from === this.first) this.#first = (this.#first + 1) % this.#endpoints.length;
  }

  /** The first answer of any member within `ms`; else rejects with RegistryAway. */
  ask<T>(ms: number, call: EtcdCall<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = new Date(this.#clock.nowMs() + ms);
      const start = this.#first;
      let asked = 0;
      let isOver = false;
      let reason: unknown;
      let cancelNext = () => {};
      const cancelEnd = this.#clock.after(ms, () => {
        this.#say(true, reason);
        settle(() => reject(new RegistryAway(reason)));
      });
      const settle = (how: () => void) => {
        isOver = true;
        cancelNext();
        cancelEnd();
        how();
      };
      const next = () => {
        if (isOver) return;
        if (this.#isClosed) {
          settle(() => reject(new RegistryAway(reason)));
          return;
        }
        cancelNext();
        const at = start + asked++;
        if (asked < this.#endpoints.length) cancelNext = this.#clock.after(PATIENCE_MS, next);
        call(this.#at(at).etcd, deadline).then(
          (answer) => {
            if (isOver) return;
            this.#first = at % this.#endpoints.length;
            this.#say(false);
            settle(() => resolve(answer));
          },
          (error) => {
            if (!reason || !(error instanceof GRPCDeadlineExceededError)) reason = error; // What came before says why.
            if (isOver) return;
            cancelNext();
            if (asked % this.#endpoints.length > 0) next();
            else cancelNext = this.#clock.after(ROUND_MS, next);
          },
        );
      };
      next();
    });
  }

  /** Calls that are waited for end as the members' connections do, and no further one is made. */
  close(): void {
    this.#isClosed = true;
    for (const { etcd } of this.#endpoints) etcd.close();
  }

  /** Once when it changes: calls are many. */
  #say(isAway: boolean, err?: unknown): void {
    if (isAway === this.#isAway || this.#isClosed) return;
    this.#isAway = isAway;
    const etcd = this.#endpoints.map(({ address }) => address);
    if (isAway) this.#log.warn({ err, etcd }, "etcd does not answer");
    else this.#log.info({ etcd }, "etcd answers again");
  }

  #at(index: number): EtcdEndpoint {
    const endpoint = this.#endpoints[index % this.#endpoints.length];
    if (!endpoint) throw new Error("etcd needs at least one endpoint");
    return endpoint;
  }
}
