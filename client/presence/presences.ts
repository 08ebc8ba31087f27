import type { Clock } from "../../internal/base/clock.ts";
import type { Presence as WirePresence } from "../../internal/gen/heddle/presence/v1/presence_pb.js";
import type { Threads } from "../log/threads.ts";
import type { Events } from "../model/events.ts";
import type { Presence, Thread } from "../model/model.ts";
import type { Calls } from "../stream/calls.ts";
import type { Session } from "../stream/session.ts";
import { PresenceBoard } from "./presence-board.ts";
import { MOST_PULLED, PresencePull } from "./presence-pull.ts";
import { PresenceWatch } from "./presence-watch.ts";

export interface PresencesDeps {
  readonly calls: Calls;
  readonly threads: Threads;
  readonly events: Events;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Who is there, as far as this user may see it: the stream says it of those on screen, bulk pulls of the most recent
 * chats' users (docs/design.md, section 8). Without a connection nothing is known: "online" is never stale.
 */
export class Presences {
  readonly #threads: Threads;
  readonly #board: PresenceBoard;
  readonly #watch: PresenceWatch;
  readonly #pull: PresencePull;
  /** The users that have a chat with this one: a new one may be seen from then on. */
  readonly #peers = new Set<string>();

  constructor({ calls, threads, events, clock, random }: PresencesDeps) {
    this.#threads = threads;
    this.#board = new PresenceBoard(events);
    this.#watch = new PresenceWatch(this.#board, clock);
    const board = this.#board;
    this.#pull = new PresencePull({ calls, board, clock, random, everybody: () => this.#everybody() });
    events.on((event) => event.type === "thread_changed" && this.#chatChanged(event.thread));
  }

  /** As Client.presence. */
  get(userId: string): Presence | undefined {
    return this.#board.get(userId);
  }

  /** As Client.watch. */
  watch(userIds: Iterable<string>): void {
    this.#watch.set(userIds);
  }

  /** A session is open, and is told who is on screen. */
  opened(session: Session): void {
    this.#watch.setSession(session);
  }

  /** The stream is caught up. */
  caughtUp(): void {
    for (const { peer } of this.#threads.list()) if (peer !== undefined) this.#peers.add(peer);
    this.#pull.start();
  }

  /** The connection is gone, and with it what was known. */
  lost(): void {
    this.#pull.stop();
    this.#watch.setSession(undefined);
    this.#board.keepOnly(new Set());
  }

  /** The stream says it. */
  takePresence(presence: WirePresence): void {
    this.#board.heard(presence);
  }

  /** Those on screen, then the users of the most recent chats. */
  #everybody(): readonly string[] {
    const peers = this.#threads.list().flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
    return [...new Set([...this.#watch.users, ...peers])].slice(0, MOST_PULLED);
  }

  #chatChanged({ peer, head }: Thread): void {
    if (peer === undefined || head.seq === 0 || this.#peers.has(peer)) return;
    this.#peers.add(peer);
    this.#pull.want(peer);
    this.#watch.again(peer);
  }
}
