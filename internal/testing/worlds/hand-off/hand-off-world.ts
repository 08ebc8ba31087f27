import type { Publication, Topic } from "../../../base/publication.ts";
import { CHANNEL_ANSWER_MS } from "../../../base/publication.ts";
import type { Ring } from "../../../base/ring.ts";
import { Publisher } from "../../../channel/publisher/publisher.ts";
import type { ChannelLink } from "../../../push/ports.ts";
import { type Subscriber, Topics } from "../../../push/topics/topics.ts";
import { Mirror, servingRing } from "../../../registry/mirror.ts";
import { SharedRegistry, SharedRegistryClient } from "../../../registry/shared-registry.ts";
import { FakeClock } from "../../fakes/time/fake-clock.ts";
import type { SeededRandom } from "../../fakes/time/seeded-random.ts";
import { type HandOffVariant, NumberKeepingRegistry } from "./broken-hand-offs.ts";
import { ChannelProcess, SimLink, SimProcess } from "./hand-off-processes.ts";

/** How far time goes on between two looks at what promises have become, in ms. */
const STEP_MS = 20;

/** Reads the head of a topic from the store. */
type ReadHead = (topic: Topic, taken: (head: number) => void) => void;

/** A topic that a push server holds: what it has seen, by events or by reading the store. */
class HeldTopic implements Subscriber {
  readonly topic: Topic;
  seen = 0;
  comparisons = 0;
  /** For the mutants: the confirmation at hand, and whether it moves the topic back to where it is held. */
  confirming: "move" | "back" | undefined;
  readonly #read: ReadHead;
  readonly #variant: HandOffVariant;

  constructor(topic: Topic, read: ReadHead, variant: HandOffVariant) {
    this.topic = topic;
    this.#read = read;
    this.#variant = variant;
  }

  subscribed(): void {
    this.confirming = undefined;
    this.#compare();
  }

  lost(): void {}

  compareTopic(): void {
    const { isMoveNotCompared, isMoveBackNotCompared } = this.#variant;
    const skips =
      (isMoveNotCompared && this.confirming) || (isMoveBackNotCompared && this.confirming === "back");
    this.confirming = undefined;
    if (!skips) this.#compare();
  }

  hinted({ seq }: { readonly seq: number }): void {
    if (seq > this.seen) this.#compare();
  }

  deliver({ seq }: Publication): void {
    this.seen = Math.max(this.seen, seq);
  }

  /** Reads the head of the store and takes it: as pulling what is missing would. */
  #compare(): void {
    this.comparisons++;
    this.#read(this.topic, (head) => {
      this.seen = Math.max(this.seen, head);
    });
  }
}

/** A process that mirrors the ring. */
interface Mirroring {
  readonly process: SimProcess;
  readonly client: SharedRegistryClient;
  readonly ring: Ring;
}

interface PushProcess extends Mirroring {
  readonly topics: Topics;
  readonly held: Map<Topic, HeldTopic>;
  readonly links: Set<SimLink>;
}

interface PublisherProcess extends Mirroring {
  readonly publisher: Publisher;
}

/**
 * Publishers, channel instances and push servers as processes over wires, a registry and a store whose heads stand for
 * logs. Everything but the processes' insides is the real code. What a seed says happens to them, and when all is quiet
 * again no push server may have missed the head of a topic that it holds.
 */
export class HandOffWorld {
  readonly clock = new FakeClock();
  readonly random: SeededRandom;
  readonly shared: SharedRegistry;
  readonly channels = new Map<string, ChannelProcess>();
  readonly pushes: PushProcess[] = [];
  readonly publishers: PublisherProcess[] = [];
  readonly heads = new Map<Topic, number>();
  /** What went wrong, in words. */
  readonly breaches: string[] = [];
  /** Sends that were accepted, refused though they may be repeated, and the longest that one took, in ms. */
  readonly sends = { accepted: 0, refused: 0, pending: 0, longestMs: 0 };
  readonly #variant: HandOffVariant;

  constructor(random: SeededRandom, variant: HandOffVariant = {}) {
    this.random = random;
    this.#variant = variant;
    this.shared = variant.isIncarnationKept
      ? new NumberKeepingRegistry(this.clock)
      : new SharedRegistry(this.clock);
  }

  /** Starts instances, then those who look for them: a first view of the ring has all. */
  async start(channels: number, pushes = 2, publishers = 2): Promise<void> {
    for (let at = 0; at < channels; at++) this.startChannel(`channel-${at}`);
    await this.pass(200);
    for (let at = 0; at < pushes; at++) this.pushes.push(this.#startPush(`push-${at}`));
    for (let at = 0; at < publishers; at++) this.publishers.push(this.#startPublisher(`message-${at}`));
    await this.pass(400);
  }

  /** Starts an instance, or one of that name again, which is another incarnation. */
  startChannel(name: string): ChannelProcess {
    const { clock, random, shared } = this;
    const made = new ChannelProcess({ name, clock, random, shared, variant: this.#variant });
    this.channels.set(name, made);
    return made;
  }

  /** A user of this push server opens a topic: its head is read as the subscription asks for it. */
  open(push: PushProcess, topic: Topic): void {
    if (push.held.has(topic)) return;
    const read: ReadHead = (asked, taken) => {
      this.clock.after(this.random.between(1, 60), () => {
        const head = this.heads.get(asked) ?? 0;
        this.clock.after(this.random.between(1, 60), () => push.process.run(() => taken(head)));
      });
    };
    const held = new HeldTopic(topic, read, this.#variant);
    push.held.set(topic, held);
    push.topics.subscribe(held);
  }

  /** Commits an entry, and hands it over until it is accepted. */
  send({ process, publisher, ring }: PublisherProcess, topic: Topic): void {
    const seq = (this.heads.get(topic) ?? 0) + 1;
    this.heads.set(topic, seq);
    this.sends.pending++;
    const publication: Publication = { ...BARE, topics: [topic], seq };
    const handOver = async () => {
      const sinceMs = this.clock.monotonicMs();
      try {
        await publisher.publish(publication);
        this.sends.accepted++;
        this.sends.pending--;
        this.sends.longestMs = Math.max(this.sends.longestMs, this.clock.monotonicMs() - sinceMs);
      } catch {
        this.sends.refused++;
        this.#judgeRefusal(ring, sinceMs);
        process.clock.after(1_000, () => void handOver());
      }
    };
    process.run(() => void handOver());
  }

  /** Time goes on in small steps, and all promises with it. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.clock.advance(STEP_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Heals all that is broken but what has crashed, waits, and looks for holes. */
  async settle(): Promise<void> {
    this.shared.setAway(false);
    for (const { process } of [...this.channels.values(), ...this.pushes, ...this.publishers])
      if (process.pausedAtMs !== undefined) process.resume();
    for (const { client } of [...this.channels.values(), ...this.pushes, ...this.publishers]) {
      client.way.isCut = false;
      client.way.lagMs = 1;
    }
    await this.pass(30_000);
    for (const { process, held } of this.pushes) {
      for (const [topic, { seen }] of held) {
        const head = this.heads.get(topic) ?? 0;
        if (seen < head) this.breaches.push(`hole: ${process.name} has ${topic} to ${seen}, not to ${head}`);
      }
    }
    if (this.sends.pending > 0) this.breaches.push(`unaccepted: ${this.sends.pending}`);
    const left = this.publishers.filter(({ publisher }) => publisher.repairs.size > 0).length;
    if (left > 0) this.breaches.push(`unrepaired: ${left}`);
  }

  /** One may be refused only if no instance of the publisher's ring could answer all the time. */
  #judgeRefusal(ring: Ring, sinceMs: number): void {
    for (const { name } of ring.view().members) {
      const instance = this.channels.get(name);
      if (!instance || instance.registration.incarnation === 0) continue;
      const { isCrashed, pausedAtMs, unresponsiveUntilMs } = instance.process;
      if (isCrashed || pausedAtMs !== undefined || unresponsiveUntilMs + CHANNEL_ANSWER_MS >= sinceMs)
        continue;
      this.breaches.push(`refused, though ${name} answers`);
    }
  }

  /** A process's own view of the ring: a watch of the registry that may lag or be cut. */
  #mirror(process: SimProcess) {
    const client = new SharedRegistryClient(this.shared, process.clock);
    client.way.answerMs = 2;
    client.way.lagMs = 1;
    const mirror = new Mirror({ registry: client, clock: process.clock, service: "channel" });
    void mirror.start();
    return { process, client, ring: servingRing(mirror) };
  }

  /** A message server, as far as it publishes. */
  #startPublisher(name: string): PublisherProcess {
    const { hasNoRepair } = this.#variant;
    const mirroring = this.#mirror(new SimProcess(name, this.clock));
    const publisher = new Publisher({
      clock: mirroring.process.clock,
      ring: mirroring.ring,
      instance: (member) => this.#channel(member.name).instance(mirroring.process),
      ...(hasNoRepair && { repairBytes: 0 }),
    });
    return { ...mirroring, publisher };
  }

  /** A push server, as far as it subscribes. */
  #startPush(name: string): PushProcess {
    const { isHiddenIgnored, markedTopics } = this.#variant;
    const mirroring = this.#mirror(new SimProcess(name, this.clock));
    const { process } = mirroring;
    const ring: Ring = !isHiddenIgnored
      ? mirroring.ring
      : { ...mirroring.ring, view: () => ({ ...mirroring.ring.view(), hidden: 0 }) };
    const held = new Map<Topic, HeldTopic>();
    const links = new Set<SimLink>();
    const topics = new Topics({
      clock: process.clock,
      name,
      channel: {
        ring,
        attach: (member, end) => {
          const link = new SimLink(process, this.#channel(member.name), end, this.clock, this.random);
          links.add(link);
          return this.#watched(link, held, member.incarnation);
        },
      },
      ...(markedTopics && { markedTopics }),
    });
    return { ...mirroring, topics, held, links };
  }

  /** For the mutants: notes which confirmation comes, and acknowledges too early. */
  #watched(link: SimLink, held: ReadonlyMap<Topic, HeldTopic>, incarnation: number): ChannelLink {
    const subscribed = new Set<Topic>();
    return {
      announce: (number) => {
        const acked = link.announce(number);
        return this.#variant.areAcksNotWaitedFor ? Promise.resolve(incarnation) : acked;
      },
      subscribe: async (topic) => {
        const confirming = subscribed.has(topic) ? "back" : "move";
        subscribed.add(topic);
        await link.subscribe(topic);
        const one = held.get(topic);
        if (!one) return;
        one.confirming = confirming;
        setImmediate(() => {
          one.confirming = undefined;
        });
      },
      unsubscribe: (topic) => {
        subscribed.delete(topic);
        link.unsubscribe(topic);
      },
      close: () => link.close(),
    };
  }

  #channel(name: string): ChannelProcess {
    const found = this.channels.get(name);
    if (!found) throw new Error(`no instance named ${name} was ever started`);
    return found;
  }
}

const BARE: Omit<Publication, "topics" | "seq"> = {
  kind: "entry",
  frame: new Uint8Array(0),
  thread: "",
  ordinal: 0,
  userId: "",
  originSession: "",
};
