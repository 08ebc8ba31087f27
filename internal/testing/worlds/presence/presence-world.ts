import type { MessageInitShape } from "@bufbuild/protobuf";
import { createLog } from "../../../base/log.ts";
import type { Member, Ring } from "../../../base/ring.ts";
import { SoleChannel } from "../../../channel/sole-channel.ts";
import type { ClientFrameSchema } from "../../../gen/heddle/push/v1/frame_pb.js";
import type { Privacy, VisibilityStore } from "../../../presence/ports.ts";
import { PresenceService } from "../../../presence/service.ts";
import { solePlace } from "../../../presence/sole-place.ts";
import { Visibilities } from "../../../presence/visibilities.ts";
import type { Presence, PresenceAttachment, PresenceLink } from "../../../push/ports.ts";
import { PushServer } from "../../../push/service.ts";
import { FakeRing } from "../../fakes/neighbours/fake-ring.ts";
import { FakeByteStream } from "../../fakes/streams/fake-byte-stream.ts";
import { FakeClock } from "../../fakes/time/fake-clock.ts";
import { ManualLoop } from "../../fakes/time/manual-loop.ts";
import { FakeMessages, FakeThreads } from "../push/push-world.ts";

/** A push server with the cable that connects it to presence, which a test may cut. */
export interface CabledServer {
  readonly server: PushServer;
  readonly name: string;
  /** The process dies: from now on nobody hears of it, and it hears of nobody. */
  cut(): void;
}

/** Who has set what, in memory; and nothing else. */
class MemoryVisibilityStore implements VisibilityStore {
  readonly #set = new Map<string, "shared" | "nobody">();

  async readVisibility(ownerId: string): Promise<"shared" | "nobody"> {
    return this.#set.get(ownerId) ?? "shared";
  }

  async setVisibility(ownerId: string, visibility: "shared" | "nobody"): Promise<void> {
    this.#set.set(ownerId, visibility);
  }
}

/** Real push servers and presence instances, with time, ticks and streams in a test's hand. All share a thread. */
export class PresenceWorld {
  readonly clock = new FakeClock();
  readonly loop = new ManualLoop();
  /** The push servers, and the presence instances. */
  readonly pushServers = new FakeRing([]);
  readonly ring = new FakeRing([]);
  readonly visibilities = new Visibilities(new MemoryVisibilityStore());
  readonly messages = new FakeMessages();
  /** Before a check of privacy reads anything, and after it has: what a test holds up. */
  beforeCheck: () => Promise<void> = async () => {};
  afterCheck: () => Promise<void> = async () => {};
  instance: PresenceService;
  readonly #channel: SoleChannel;
  readonly #instances = new Map<string, PresenceService>();
  #sessions = 0;

  constructor() {
    this.#channel = new SoleChannel({ clock: this.clock, tick: this.loop.tick });
    this.instance = this.startInstance();
  }

  /** A fresh instance takes the ring over. */
  startInstance(): PresenceService {
    const { clock, ring, pushServers, visibilities } = this;
    const name = `presence-${this.#instances.size}`;
    const privacy: Privacy = {
      maySee: async (_viewer, user) => {
        await this.beforeCheck();
        const visibility = await visibilities.readVisibility(user);
        await this.afterCheck();
        return visibility === "shared";
      },
    };
    const place = { ...solePlace("push"), name, ring, registered: ring, pushServers };
    this.instance = new PresenceService({ clock, place, visibilities, privacy });
    this.#instances.set(name, this.instance);
    ring.set([name]);
    return this.instance;
  }

  /** The instance dies, and nobody takes its place yet. */
  killInstance(): void {
    const dead = this.instance;
    this.ring.set([]);
    dead.close();
  }

  /** Starts a push server and puts it into the ring of push servers. */
  startServer(name: string): CabledServer {
    const attach = ({ name: instance }: Member, link: PresenceLink) => {
      const service = this.#instances.get(instance);
      if (!service) throw new Error(`no instance ${instance}`);
      return service.attach(link);
    };
    const cable = new Cable({ ring: this.ring, attach });
    const server = new PushServer({
      messages: this.messages,
      threads: new FakeThreads(),
      channel: this.#channel,
      presence: cable,
      clock: this.clock,
      log: createLog({ level: "silent" }),
      config: { name, capacity: 100_000 },
      tick: this.loop.tick,
    });
    this.pushServers.add(name);
    return { server, name, cut: () => cable.cut() };
  }

  /** A stream of the user's that has said `open`. */
  connect({ server }: Pick<CabledServer, "server">, userId: string): FakeByteStream {
    const id = ++this.#sessions;
    const sessionId = new Uint8Array(16);
    new DataView(sessionId.buffer).setUint32(0, id);
    const never = Number.MAX_SAFE_INTEGER;
    const caller = { userId, sessionId, deviceId: "phone", openByMs: never, expiresAtMs: never };
    const stream = new FakeByteStream({
      caller: { ...caller, userTokenExpiresAtMs: never },
      requestId: "request",
      signal: new AbortController().signal,
    });
    server.connect(stream);
    say(stream, { case: "open", value: { deviceId: "phone" } as never });
    return stream;
  }

  /** Moves time, and lets all that is due then come to rest. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.loop.settle();
  }
}

/** Says a frame on a client's stream. */
export function say(stream: FakeByteStream, kind: MessageInitShape<typeof ClientFrameSchema>["kind"]): void {
  stream.say(kind);
}

/** Says which users the client wants to see. */
export function watch(stream: FakeByteStream, userIds: readonly string[]): void {
  say(stream, { case: "watch", value: { userIds: [...userIds] } as never });
}

/** Presence as one push server reaches it. */
class Cable implements Presence {
  readonly ring: Ring;
  readonly #presence: Presence;
  #isCut = false;

  constructor(presence: Presence) {
    const { ring } = presence;
    this.#presence = presence;
    this.ring = {
      view: () => ring.view(),
      listAgain: () => ring.listAgain(),
      onChange: (callback) =>
        ring.onChange(() => {
          if (!this.#isCut) callback();
        }),
    };
  }

  cut(): void {
    this.#isCut = true;
  }

  attach(instance: Member, link: PresenceLink): PresenceAttachment {
    const attachment = this.#presence.attach(instance, {
      name: link.name,
      told: (...told) => {
        if (!this.#isCut) link.told(...told);
      },
      closed: () => {
        if (!this.#isCut) link.closed();
      },
    });
    const never = new Promise<void>(() => {});
    return {
      report: (report) => (this.#isCut ? never : attachment.report(report)),
      watch: (watcher, userIds) => (this.#isCut ? never : attachment.watch(watcher, userIds)),
      unwatch: (session, userIds) => {
        if (!this.#isCut) attachment.unwatch(session, userIds);
      },
      close: () => {
        if (!this.#isCut) attachment.close();
      },
    };
  }
}
