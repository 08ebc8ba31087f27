import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { PresenceSchema, PresenceStatus } from "../../../../internal/gen/heddle/presence/v1/presence_pb.js";
import { CreateDirectThreadRequestSchema } from "../../../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import type { ChatClient } from "../clients/chat-client.ts";
import { Crowd, type CrowdOptions } from "../clients/crowd.ts";
import { Latencies } from "../counts/latency.ts";
import { pace } from "../pace/pacer.ts";
import { clientFrame } from "../wire/client-frames.ts";
import { GrpcConnection } from "../wire/grpc-connection.ts";

const CREATE_DIRECT_THREAD = "/heddle.thread.v1.ThreadService/CreateDirectThread";
const CALL_MS = 10_000;

/** Threads that are made at a time. */
const THREADS_AT_ONCE = 128;

/** The longest wait for watchers to be told: above every bound of docs/design.md, section 8. */
const TOLD_MS = 45_000;

type SignedIn = CrowdOptions["users"][number];

/** Everybody of `users`, at most 100, is watched by everybody of `watchers`. */
export interface PresenceOptions extends CrowdOptions {
  readonly watchers: readonly SignedIn[];
}

/** One who comes and goes. */
interface Visitor {
  readonly client: ChatClient;
  /** What watchers were told last. */
  readonly shown: Map<ChatClient, PresenceStatus>;
  /** What they may be told: undefined for anything, before the first wave. */
  expected: PresenceStatus | undefined;
  /** When the last coming or going was due. */
  dueMs: number;
}

/** Users who come and go in waves, and watchers who must hear of it; and of nothing else. */
export class PresenceLoad {
  readonly #latencies = new Latencies();
  readonly #watchers = new Crowd({ onPresence: (watcher, presence) => this.#told(watcher, presence) });
  readonly #crowd = new Crowd();
  readonly #visitors = new Map<string, Visitor>();
  /** Changes that watchers were told, all waves together. */
  #count = 0;
  /** Of this wave, those still to be told. */
  #awaited = 0;

  /** Makes a thread of each pair, which lets one see the other; connects the watchers. */
  async begin(options: PresenceOptions): Promise<void> {
    await acquaint(options);
    for (const client of this.#crowd.seat(options))
      this.#visitors.set(client.userId, { client, shown: new Map(), expected: undefined, dueMs: 0 });
    await this.#watchers.connect({ ...options, users: options.watchers });
    const watch = clientFrame({ case: "watch", value: { userIds: [...this.#visitors.keys()] } as never });
    for (const watcher of this.#watchers.clients) watcher.say(watch);
    const isOffline = (status: PresenceStatus) => status === PresenceStatus.OFFLINE;
    const areOffline = ({ shown }: Visitor) =>
      shown.size === options.watchers.length && [...shown.values()].every(isOffline);
    await this.#watchers.until(
      () => [...this.#visitors.values()].every(areOffline),
      TOLD_MS,
      () => "not every watch has begun",
    );
  }

  /** All come, so many a second. Resolves when all watchers have been told of all of them. */
  come(perSecond: number): Promise<void> {
    const visitors = [...this.#visitors.values()];
    this.#expect(visitors, PresenceStatus.ONLINE);
    return this.#wave(perSecond, ({ client }) => client.open());
  }

  /**
   * Every second one leaves, so many a second; the others leave and are back at once, which nobody may be told.
   * Resolves when all watchers have been told of those who left.
   */
  leave(perSecond: number): Promise<void> {
    const leaving = new Set([...this.#visitors.values()].filter((_, at) => at % 2 === 0));
    this.#expect([...leaving], PresenceStatus.OFFLINE);
    return this.#wave(perSecond, async (visitor) => {
      visitor.client.close();
      if (!leaving.has(visitor)) await visitor.client.open();
    });
  }

  /** Changes that came to watchers so far. Throws if anything went wrong. */
  done(): number {
    this.#watchers.demandNoTrouble();
    this.#crowd.demandNoTrouble();
    return this.#count;
  }

  resetLatencies(): void {
    this.#latencies.reset();
  }

  /** From the moment the coming or going was due to the watcher. */
  latencies(): string {
    return this.#latencies.encode();
  }

  #expect(visitors: readonly Visitor[], status: PresenceStatus): void {
    this.#awaited = visitors.length * this.#watchers.clients.length;
    for (const visitor of visitors) visitor.expected = status;
  }

  async #wave(perSecond: number, move: (visitor: Visitor) => Promise<void>): Promise<void> {
    const visitors = [...this.#visitors.values()];
    const moves: Promise<void>[] = [];
    await pace({ perSecond, count: visitors.length }, (index, dueMs) => {
      const visitor = visitors[index];
      if (!visitor) return;
      visitor.dueMs = dueMs;
      moves.push(move(visitor));
    });
    await Promise.all(moves);
    await this.#watchers.until(
      () => this.#awaited === 0,
      TOLD_MS,
      () => `${this.#awaited} changes were not told`,
    );
    this.done();
  }

  #told(watcher: ChatClient, presence: Uint8Array): void {
    const { userId, status } = fromBinary(PresenceSchema, presence);
    const visitor = this.#visitors.get(userId);
    if (!visitor || visitor.shown.get(watcher) === status) return; // Told again.
    visitor.shown.set(watcher, status);
    if (visitor.expected === undefined) return;
    if (status !== visitor.expected) this.#watchers.note(`${userId} was shown as ${PresenceStatus[status]}`);
    this.#latencies.add(performance.now() - visitor.dueMs);
    this.#count++;
    this.#awaited--;
  }
}

/** A direct thread of every watcher with every user, without entries, so that no backfill has it. */
async function acquaint({ grpcUrl, watchers, users }: PresenceOptions): Promise<void> {
  const connection = new GrpcConnection(grpcUrl);
  const pairs = watchers.flatMap(({ token }) => users.map(({ userId }) => ({ token, userId }))).values();
  // One for all: a direct thread is made once, whatever the request is called.
  const requestId = new Uint8Array(16);
  const make = async () => {
    for (const { token, userId } of pairs) {
      const request = create(CreateDirectThreadRequestSchema, { userId, requestId });
      const bytes = toBinary(CreateDirectThreadRequestSchema, request);
      await connection.unary(CREATE_DIRECT_THREAD, token, bytes, CALL_MS);
    }
  };
  try {
    await Promise.all(Array.from({ length: THREADS_AT_ONCE }, make));
  } finally {
    connection.close();
  }
}
