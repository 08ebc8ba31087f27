import type { Clock } from "../../base/clock.ts";
import { handOffFailed } from "../../base/heddle-error.ts";
import type { ChannelAnswer, HandOff, Publication, Topic } from "../../base/publication.ts";
import { rendezvousOrder, rendezvousOwner } from "../../base/rendezvous.ts";
import { type Member, type Ring, registrationKey } from "../../base/ring.ts";
import type { ChannelInstance } from "../ports.ts";
import { answerInTime } from "./answer-in-time.ts";
import { RepairSet } from "./repair-set.ts";

/**
 * How long what is to be repaired holds up a goodbye, in ms: an owner that has died has lost its lease after ten seconds,
 * and the next one is asked within one more.
 */
export const DRAINED_MS = 12_000;

export interface PublisherInit {
  readonly clock: Clock;
  /** The channel instances. */
  readonly ring: Ring;
  /** Where a member is asked. Must not throw; what cannot be reached rejects when it is asked. */
  readonly instance: (member: Member) => ChannelInstance;
  /** Bound of the set of topics to repair, in bytes. */
  readonly repairBytes?: number;
}

/**
 * What message and thread servers publish through (docs/design.md, section 7, Publish). The owner of a topic takes the
 * event; where it does not in time, or is not sure, the next instance in rendezvous order broadcasts it. What was not
 * `exact` is told of again, every second, until the owner says so.
 */
export class Publisher {
  readonly repairs: RepairSet;
  readonly #init: PublisherInit;
  /** Hand-overs that have not ended: each may leave something to repair. */
  readonly #open = new Set<Promise<HandOff>>();

  constructor(init: PublisherInit) {
    this.#init = init;
    this.repairs = new RepairSet(init);
  }

  /**
   * Answers at once where the owner of all topics does, and is exact. Rejects with HAND_OFF_FAILED if no instance took
   * the event: then it may have come all the same.
   */
  publish(publication: Publication): HandOff | Promise<HandOff> {
    const { members, number } = this.#init.ring.view();
    const { topics } = publication;
    const owner = rendezvousOwner(members, topics[0] ?? "");
    for (const topic of topics)
      if (rendezvousOwner(members, topic) !== owner) return this.#inParts(publication);
    if (!owner) return this.#opened(this.#handOver(publication, undefined));
    let answer: ChannelAnswer | Promise<ChannelAnswer>;
    try {
      answer = this.#init.instance(owner).publish(publication, number);
    } catch (error) {
      answer = Promise.reject(error);
    }
    if ("kind" in answer && answer.kind === "exact") return answer;
    return this.#opened(this.#handOver(publication, { member: owner, answer }));
  }

  /**
   * Before a goodbye: resolves when no hand-over is under way and nothing is left to repair, after DRAINED_MS at the
   * latest. To what is left then: topics whose subscribers may miss an event until the next one, or Sync.
   */
  drained(): Promise<number> {
    return new Promise((resolve) => {
      const left = () => this.#open.size + this.repairs.size;
      const cancel = this.#init.clock.after(DRAINED_MS, () => resolve(left()));
      const drain = async () => {
        while (left() > 0) {
          await Promise.allSettled(this.#open);
          await this.repairs.drained();
        }
        cancel();
        resolve(0);
      };
      void drain();
    });
  }

  #opened(handOver: Promise<HandOff>): Promise<HandOff> {
    this.#open.add(handOver);
    const ended = () => this.#open.delete(handOver);
    handOver.then(ended, ended);
    return handOver;
  }

  /** Topics of several owners: each owner gets its own. */
  async #inParts(publication: Publication): Promise<HandOff> {
    const { members } = this.#init.ring.view();
    const parts = new Map<string | undefined, Topic[]>();
    for (const topic of publication.topics) {
      const owner = rendezvousOwner(members, topic)?.name;
      const part = parts.get(owner);
      if (part) part.push(topic);
      else parts.set(owner, [topic]);
    }
    const online = new Map<Topic, boolean>();
    const handOver = async (topics: readonly Topic[]) => {
      const { subscribed } = await this.publish({ ...publication, topics });
      for (const [at, topic] of topics.entries()) online.set(topic, subscribed[at] ?? true);
    };
    await Promise.all(Array.from(parts.values(), handOver));
    return { subscribed: publication.topics.map((topic) => online.get(topic) ?? true) };
  }

  async #handOver(publication: Publication, first: Asked | undefined): Promise<HandOff> {
    const { ring } = this.#init;
    const tried = new Set<string>();
    const unsure: { readonly name: string; readonly incarnation: number }[] = [];
    for (const isListedAgain of [false, true]) {
      if (isListedAgain && !(await ring.listAgain())) break;
      const { members, number } = ring.view();
      for (const [at, member] of rendezvousOrder(members, publication.topics[0] ?? "").entries()) {
        if (tried.has(registrationKey(member))) continue;
        tried.add(registrationKey(member));
        const asked = first?.member === member ? first.answer : undefined;
        const answer = await answerInTime(
          this.#init.clock,
          () => asked ?? this.#ask(member, publication, at === 0 ? number : undefined),
        );
        if (answer?.kind === "exact") return answer;
        if (answer?.kind === "broadcast") return this.#accept(publication);
        if (answer) unsure.push({ name: member.name, incarnation: answer.incarnation });
      }
    }
    if (unsure.some((one) => this.#counts(one))) return this.#accept(publication);
    throw handOffFailed();
  }

  /** `number`: of the ring by which the member owns the topic; undefined if it is to broadcast. */
  #ask(member: Member, publication: Publication, number: number | undefined) {
    const instance = this.#init.instance(member);
    return number === undefined ? instance.broadcast(publication) : instance.publish(publication, number);
  }

  /** Whether push servers still have links to the one that was unsure, for all that is known here. */
  #counts({ name, incarnation }: { readonly name: string; readonly incarnation: number }): boolean {
    const held = this.#init.ring.view().members.find((member) => member.name === name);
    return held !== undefined && held.incarnation <= incarnation;
  }

  #accept(publication: Publication): HandOff {
    this.repairs.add(publication);
    return { subscribed: publication.topics.map(() => true) };
  }
}

interface Asked {
  readonly member: Member;
  readonly answer: ChannelAnswer | Promise<ChannelAnswer>;
}
