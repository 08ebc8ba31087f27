import type { Roster } from "../../../base/group.ts";
import { createLog } from "../../../base/log.ts";
import { SoleChannel } from "../../../channel/sole-channel.ts";
import type { Groups, MessageStore, Channel as Publishing } from "../../../message/ports.ts";
import { MessageService } from "../../../message/service.ts";
import { PresenceService } from "../../../presence/service.ts";
import { Sight } from "../../../presence/sight.ts";
import { solePlace } from "../../../presence/sole-place.ts";
import { Visibilities } from "../../../presence/visibilities.ts";
import type { Channel, ChannelLink, Link, Messages } from "../../../push/ports.ts";
import { PushServer } from "../../../push/service.ts";
import { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import { Directory } from "../../../thread/directory.ts";
import type { EntryTimes, GroupLog, Heads } from "../../../thread/ports.ts";
import { ThreadService } from "../../../thread/service.ts";
import { MemoryMessageStore } from "../../fakes/stores/memory-message-store.ts";
import { FakeByteStream } from "../../fakes/streams/fake-byte-stream.ts";
import { FakeClock } from "../../fakes/time/fake-clock.ts";
import type { SeededRandom } from "../../fakes/time/seeded-random.ts";

/** How one mechanism of the design is broken, as a wrapper around ports. */
export interface StormVariant {
  /** Around a push server's link: what it sees of what is delivered. */
  readonly link?: (link: Link) => Link;
  /** Around a push server's side of it. */
  readonly attached?: (attached: ChannelLink, pause: () => Promise<void>) => ChannelLink;
  /** Whether sends are judged before they are queued, and not again at the head of the check. */
  readonly isJudgedBefore?: boolean;
  /** Whether a block leaves the epoch of the thread's head as it is. */
  readonly isEpochKept?: boolean;
}

/** More than one of each, so that a group's members and writers are spread over them. */
export const PUSH_SERVERS = 3;
const MESSAGE_SERVERS = 2;

/** How long a call between services takes, in turns of the event loop, at most. */
const CALL_TURNS = 2;
/** And a publication: longer, so that later ones may overtake it. */
const PUBLISH_TURNS = 16;

/**
 * All services in one process over stores in memory: two message services and two thread services on the same stores,
 * three push servers, one channel and one presence instance. Calls between them take a few turns of the event loop,
 * as many as a seed says, so publications of two servers overtake one another. Time is a test's.
 */
export class GroupStormServices {
  readonly clock = new FakeClock();
  readonly channel: SoleChannel;
  readonly threads: readonly ThreadService[];
  readonly servers: readonly PushServer[];
  readonly #random: SeededRandom;
  readonly #store: SqliteThreadStore;
  readonly #presence: PresenceService;
  readonly #links: (() => void)[] = [];
  readonly #messages: MessageService[];
  readonly #startMessage: (groups?: Groups) => MessageService;
  #ids = 0;

  constructor(random: SeededRandom, variant: StormVariant) {
    this.#random = random;
    const { clock } = this;
    this.#store = new SqliteThreadStore({ path: ":memory:", clock });
    this.channel = new SoleChannel({ clock });
    const directory = new Directory(this.#store);
    const visibilities = new Visibilities(this.#store);
    const privacy = new Sight(directory, visibilities, "shared-thread");
    const place = solePlace("push");
    this.#presence = new PresenceService({ clock, place, visibilities, privacy });

    const store = this.#slowStore(new MemoryMessageStore());
    const channel: Publishing = {
      publish: async (publication) => {
        await this.#pause(PUBLISH_TURNS);
        return this.channel.publish(publication);
      },
    };
    const ports = { store, threads: directory, blocks: directory, largeGroups: directory, channel, clock };
    this.#startMessage = (groups = directory) => new MessageService({ ...ports, groups });
    this.#messages = Array.from({ length: MESSAGE_SERVERS }, () => this.#startMessage());
    const trusting = variant.isJudgedBefore ? this.#startMessage(everybodyIn(directory)) : undefined;
    this.threads = this.#messages.map((_, at) => {
      const log: GroupLog & Heads & EntryTimes = {
        change: (request) => this.message(at).change(request),
        raiseEpoch: async (threadId) => {
          if (!variant.isEpochKept) await this.message(at).raiseEpoch(threadId);
        },
        heads: (threads) => this.message(at).heads(threads),
        entryTimes: (entries) => this.message(at).entryTimes(entries),
      };
      return new ThreadService({
        store: this.#store,
        heads: log,
        log,
        presence: this.#presence,
        channel,
        clock,
      });
    });
    this.servers = Array.from({ length: PUSH_SERVERS }, (_, at) => {
      const messages = this.#messagesFor(at, trusting);
      const [threads] = this.threads as [ThreadService];
      const name = `push${at}`;
      return new PushServer({
        messages,
        threads: {
          sync: async (...args) => {
            await this.#pause(CALL_TURNS);
            return threads.sync(...args);
          },
          revoked: (...args) => threads.revoked(...args),
          deviceUsed: () => {},
          groups: async (userId) => {
            await this.#pause(CALL_TURNS);
            return threads.groups(userId);
          },
        },
        channel: this.#channelFor(at, variant),
        presence: { ring: place.ring, attach: (_, link) => this.#presence.attach(link) },
        clock,
        log: createLog({ level: "silent" }),
        config: { name, capacity: 10_000 },
      });
    });
  }

  /** 16 bytes for a session, a send or a request; the same ones in every storm of the same seed. */
  newId(): Uint8Array {
    const id = new Uint8Array(16);
    new DataView(id.buffer).setUint32(0, ++this.#ids);
    return id;
  }

  /** A stream of the user's that has said nothing. */
  stream(userId: string, server: PushServer): FakeByteStream {
    const sessionId = this.newId();
    const never = Number.MAX_SAFE_INTEGER;
    const times = { openByMs: never, expiresAtMs: never, userTokenExpiresAtMs: never };
    const caller = { userId, sessionId, deviceId: "phone", ...times };
    const stream = new FakeByteStream({ caller, requestId: "request", signal: new AbortController().signal });
    server.connect(stream);
    return stream;
  }

  /** The message service of that number, as of now. */
  message(at: number): MessageService {
    return this.#messages[at % MESSAGE_SERVERS] as MessageService;
  }

  /** Another message service, which knows nothing, takes the place of one; what that one is at, it finishes. */
  replaceMessage(at: number): void {
    this.#messages[at % MESSAGE_SERVERS] = this.#startMessage();
  }

  /** The channel service loses its link to a push server, which finds it closed. */
  breakLink(at: number): void {
    this.#links[at]?.();
  }

  /** Lets everything go on for a while, `ms` of which pass at once. */
  async turn(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Ends services and store; sessions are not told. */
  async close(): Promise<void> {
    for (const message of this.#messages) await message.close();
    this.#presence.close();
    await this.#store.close();
  }

  async #pause(mostTurns: number): Promise<void> {
    for (let left = this.#random.between(0, mostTurns); left > 0; left--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #slowStore(inner: MessageStore): MessageStore {
    const slow = async <T>(call: () => Promise<T>): Promise<T> => {
      await this.#pause(CALL_TURNS);
      const answer = await call();
      await this.#pause(CALL_TURNS);
      return answer;
    };
    return {
      checkAndPut: (...args) => slow(() => inner.checkAndPut(...args)),
      put: (...args) => slow(() => inner.put(...args)),
      get: (...args) => slow(() => inner.get(...args)),
    };
  }

  #messagesFor(at: number, trusting: MessageService | undefined): Messages {
    return {
      send: (send, settle) => {
        const real = this.message(at);
        if (!trusting || !send.threadId) return real.send(send, settle);
        const isJudged = real
          .membership(send.threadId, [send.userId])
          .then(({ joined }) => joined.has(send.userId));
        isJudged.then(
          (isMember) => (isMember ? trusting : real).send(send, settle),
          () => real.send(send, settle),
        );
      },
      raiseReceipt: (receipt) => this.message(at).raiseReceipt(receipt),
      flushReceipts: (userId) => this.message(at).flushReceipts(userId),
      typing: (typing) => this.message(at).typing(typing),
      membership: async (threadId, userIds) => {
        await this.#pause(CALL_TURNS);
        return this.message(at).membership(threadId, userIds);
      },
    };
  }

  #channelFor(at: number, variant: StormVariant): Channel {
    return {
      ring: this.channel.ring,
      attach: (instance, link) => {
        const end = variant.link?.(link) ?? link;
        const attached = this.channel.attach(instance, end);
        this.#links[at] = () => {
          this.channel.broke(end);
          link.closed();
        };
        return variant.attached?.(attached, () => this.#pause(4 * PUBLISH_TURNS)) ?? attached;
      },
    };
  }
}

/** The groups as one sees them who takes everybody who was ever asked about for a member. */
function everybodyIn(groups: Groups): Groups {
  const roster = async (threadId: Uint8Array): Promise<Roster | undefined> => {
    const real = await groups.roster(threadId);
    if (!real) return undefined;
    const members = new Map(real.members);
    for (let at = 0; at < 100; at++) {
      const userId = `u${at}`;
      if (!members.has(userId)) members.set(userId, { userId, role: "member", joinedSeq: real.appliedSeq });
    }
    return { ...real, members };
  };
  return {
    roster,
    project: (...args) => groups.project(...args),
    changeSeq: (...args) => groups.changeSeq(...args),
    spanCounts: (...args) => groups.spanCounts(...args),
    noteActivity: (...args) => groups.noteActivity(...args),
  };
}
