import type { Clock } from "../../../base/clock.ts";
import { handOffFailed } from "../../../base/heddle-error.ts";
import type { ChannelAnswer, Hint, Publication, Topic } from "../../../base/publication.ts";
import type { ChannelInstance, Link as ChannelSideLink } from "../../../channel/ports.ts";
import { ChannelService } from "../../../channel/service.ts";
import type { ChannelLink, Link } from "../../../push/ports.ts";
import { Registration } from "../../../registry/registration.ts";
import { type SharedRegistry, SharedRegistryClient } from "../../../registry/shared-registry.ts";
import type { FakeClock } from "../../fakes/time/fake-clock.ts";
import type { SeededRandom } from "../../fakes/time/seeded-random.ts";
import type { HandOffVariant } from "./broken-hand-offs.ts";

/** A process of the world: it can crash, and it can pause, while what comes to it and its timers wait. */
export class SimProcess {
  readonly clock: Clock;
  readonly name: string;
  isCrashed = false;
  pausedAtMs: number | undefined;
  /** When it was last paused or slow to hear, until then it need not have answered. */
  unresponsiveUntilMs = 0;
  #backlog: (() => void)[] = [];

  constructor(name: string, clock: FakeClock) {
    this.name = name;
    this.clock = {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      after: (ms, callback) => clock.after(ms, () => this.run(callback)),
    };
  }

  /** Does something in the process: never once it has crashed, when it goes on if it pauses. */
  run(act: () => void): void {
    if (this.isCrashed) return;
    if (this.pausedAtMs === undefined) act();
    else this.#backlog.push(act);
  }

  /** From now on everything waits, timers too: as SIGSTOP does. */
  pause(): void {
    this.pausedAtMs = this.clock.monotonicMs();
  }

  /** Does all that came meanwhile, in order. For 600 ms it need not have answered in time. */
  resume(): void {
    this.pausedAtMs = undefined;
    this.unresponsiveUntilMs = this.clock.monotonicMs() + 600;
    for (const act of this.#backlog.splice(0)) this.run(act);
  }
}

/** One direction between two processes: takes a time that the seed says, and keeps the order. */
export class Wire {
  readonly #clock: FakeClock;
  readonly #random: SeededRandom;
  #lastAtMs = 0;

  constructor(clock: FakeClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Runs `act` at the other end, after all that was sent before. */
  send(to: SimProcess, act: () => void): void {
    const nowMs = this.#clock.monotonicMs();
    this.#lastAtMs = Math.max(this.#lastAtMs, nowMs + this.#random.between(1, 40));
    this.#clock.after(this.#lastAtMs - nowMs, () => to.run(act));
  }
}

export interface ChannelProcessInit {
  readonly name: string;
  readonly clock: FakeClock;
  readonly random: SeededRandom;
  readonly shared: SharedRegistry;
  readonly variant: HandOffVariant;
}

/** A channel instance as a process, reached over wires. */
export class ChannelProcess {
  readonly process: SimProcess;
  readonly client: SharedRegistryClient;
  readonly registration: Registration;
  readonly service: ChannelService;
  readonly links = new Set<SimLink>();
  readonly #init: ChannelProcessInit;
  #lastIncarnation = 0;

  constructor(init: ChannelProcessInit) {
    this.#init = init;
    const { name, clock, shared, variant } = init;
    this.process = new SimProcess(name, clock);
    this.client = new SharedRegistryClient(shared, this.process.clock);
    this.client.way.answerMs = 2;
    this.registration = new Registration({
      registry: this.client,
      clock: this.process.clock,
      offer: { service: "channel", name, address: name, build: "" },
      registered: (incarnation) => {
        this.#lastIncarnation = incarnation;
      },
      lost: () => {
        if (!variant.areLinksKept) this.service.leaseLost();
      },
    });
    const { registration } = this;
    this.service = new ChannelService({
      clock: this.process.clock,
      lease: {
        get incarnation() {
          return registration.incarnation;
        },
        isSure: () => (variant.hasNoDeadline ? registration.incarnation > 0 : registration.isSure()),
      },
      tick: (run) => this.process.clock.after(0, run),
    });
    void this.registration.start();
  }

  get name(): string {
    return this.process.name;
  }

  /** What a publisher asks of it, each call over wires of its own. */
  instance(from: SimProcess): ChannelInstance {
    const { clock, random, variant } = this.#init;
    const call = (act: () => ChannelAnswer): Promise<ChannelAnswer> =>
      new Promise((resolve, reject) => {
        const [way, back] = [new Wire(clock, random), new Wire(clock, random)];
        if (this.process.isCrashed) back.send(from, () => reject(handOffFailed()));
        way.send(this.process, () => {
          const answer = act();
          back.send(from, () => resolve(answer));
        });
      });
    const numbered = (number: number) => {
      if (variant.hasNoNumbers) return Number.MAX_SAFE_INTEGER;
      return variant.isOwnNumberForgotten ? Math.max(number, this.#lastIncarnation) : number;
    };
    return {
      publish: (publication, number) => call(() => this.service.publish(publication, numbered(number))),
      broadcast: (publication) => call(() => this.service.broadcast(publication)),
      hint: (hint, number) =>
        call(() => {
          const answer = this.service.hint(hint, numbered(number));
          if (!variant.doesRepairStopAtBroadcast || answer.kind !== "broadcast") return answer;
          return { kind: "exact", incarnation: answer.incarnation, subscribed: [true] };
        }),
    };
  }

  /** Stops for ever. Who is connected learns of it as of a link that broke. */
  crash(): void {
    this.process.isCrashed = true;
    for (const link of [...this.links]) link.breakSoon();
  }

  /** Leaves in good order: nothing is exact from now on, push servers move, and links are flushed. */
  async leave(): Promise<void> {
    if (!this.#init.variant.isExactWhileLeaving) this.service.leave();
    await this.registration.leaving();
    if (this.#init.variant.isExactWhileLeaving) {
      this.process.clock.after(4_000, () => this.service.close());
      return;
    }
    await this.registration.revoke();
    this.process.clock.after(1_500, () => this.service.close());
  }
}

/** A push server's link to a channel instance. */
export class SimLink implements ChannelLink {
  readonly #push: SimProcess;
  readonly #channel: ChannelProcess;
  readonly #end: Link;
  readonly #there: Wire;
  readonly #back: Wire;
  readonly #clock: FakeClock;
  readonly #side: ChannelSideLink;
  #attachment: ReturnType<ChannelService["attach"]> | undefined;
  #isBroken = false;

  constructor(push: SimProcess, channel: ChannelProcess, end: Link, clock: FakeClock, random: SeededRandom) {
    this.#push = push;
    this.#channel = channel;
    this.#end = end;
    this.#clock = clock;
    this.#there = new Wire(clock, random);
    this.#back = new Wire(clock, random);
    this.#side = {
      name: end.name,
      deliver: (publication: Publication, topics: readonly Topic[]) =>
        this.#toPush(() => end.deliver(publication, topics)),
      hint: (hint: Hint) => this.#toPush(() => end.hint(hint)),
      closed: () =>
        this.#toPush(() => {
          this.#isBroken = true;
          this.#channel.links.delete(this);
          end.closed();
        }),
    };
    channel.links.add(this);
    if (channel.process.isCrashed) this.breakSoon();
    else
      this.#toChannel(() => {
        this.#attachment = channel.service.attach(this.#side);
      });
  }

  announce(number: number): Promise<number> {
    return this.#ask((attachment) => attachment.announce(number));
  }

  subscribe(topic: Topic): Promise<void> {
    return this.#ask((attachment) => attachment.subscribe(topic));
  }

  unsubscribe(topic: Topic): void {
    this.#toChannel(() => this.#attachment?.unsubscribe(topic));
  }

  async close(): Promise<void> {
    await this.#ask((attachment) => attachment.close());
    this.#channel.links.delete(this);
  }

  /** What is under way is lost, and both ends hear of it `ms` later at the earliest. */
  breakSoon(ms = 50): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#channel.links.delete(this);
    this.#clock.after(ms, () => {
      this.#push.run(() => this.#end.closed());
      this.#channel.process.run(() => this.#channel.service.broke(this.#side));
    });
  }

  /** Asks the instance; never settles once the link is broken, as a call on a dead link. */
  #ask<T>(act: (attachment: ReturnType<ChannelService["attach"]>) => Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      this.#toChannel(() => {
        if (this.#attachment)
          void act(this.#attachment).then((answer) => this.#toPush(() => resolve(answer)));
      });
    });
  }

  /** On its way to the instance, unless the link breaks before it arrives. */
  #toChannel(act: () => void): void {
    if (!this.#isBroken) this.#there.send(this.#channel.process, () => this.#isBroken || act());
  }

  /** On its way back. */
  #toPush(act: () => void): void {
    if (!this.#isBroken) this.#back.send(this.#push, () => this.#isBroken || act());
  }
}
