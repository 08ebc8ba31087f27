import {
  PresenceStatus,
  type Presence as WirePresence,
} from "../../internal/gen/heddle/presence/v1/presence_pb.js";
import type { Events } from "../model/events.ts";
import type { Presence } from "../model/model.ts";

/** What was last heard of one user, and its place among everything heard. */
interface Held {
  readonly presence: Presence | undefined;
  readonly word: number;
}

/**
 * What is known of who is there. Words are counted: an answer may be older than what was pushed while it was on its
 * way, and must not undo that.
 */
export class PresenceBoard {
  readonly #events: Events;
  readonly #held = new Map<string, Held>();
  #words = 0;

  constructor(events: Events) {
    this.#events = events;
  }

  /** How much was heard so far: `answered` and `doubt` take it as the moment of a question. */
  get words(): number {
    return this.#words;
  }

  /** Undefined: not known, or not to be seen. */
  get(userId: string): Presence | undefined {
    return this.#held.get(userId)?.presence;
  }

  /** The stream says it: it is the newest. */
  heard(wire: WirePresence): void {
    this.#set(wire.userId, toPresence(wire));
  }

  /**
   * The answer to what was asked at `since`. Users who are left out may not be seen. One about
   * which the answer knows nothing is as known as before: the stream, which tells nothing twice, would not give back what was taken here.
   */
  answered(asked: readonly string[], answer: readonly WirePresence[], since: number): void {
    const found = new Map(answer.map((wire) => [wire.userId, wire]));
    for (const userId of asked) {
      const wire = found.get(userId);
      if (wire?.status === PresenceStatus.UNKNOWN || this.#wordOf(userId) > since) continue;
      this.#set(userId, wire && toPresence(wire));
    }
  }

  /** Nothing was heard of these since: what is known of them may no longer be so. */
  doubt(userIds: Iterable<string>, since: number): void {
    for (const userId of userIds) if (this.#wordOf(userId) <= since) this.#set(userId, undefined);
  }

  /** Forgets everybody else. */
  keepOnly(userIds: ReadonlySet<string>): void {
    for (const userId of [...this.#held.keys()]) {
      if (userIds.has(userId)) continue;
      this.#set(userId, undefined);
      this.#held.delete(userId);
    }
  }

  #wordOf(userId: string): number {
    return this.#held.get(userId)?.word ?? 0;
  }

  #set(userId: string, presence: Presence | undefined): void {
    const was = this.get(userId);
    this.#words += 1;
    this.#held.set(userId, { presence, word: this.#words });
    if (was?.status === presence?.status && was?.lastSeenAtMs === presence?.lastSeenAtMs) return;
    this.#events.emit({ type: "presence", userId, presence });
  }
}

/** A status that this client does not know, and one that the server does not, are the same to a person. */
function toPresence({ status, lastSeenAtMs }: WirePresence): Presence | undefined {
  if (status === PresenceStatus.ONLINE) return { status: "online", lastSeenAtMs: undefined };
  if (status !== PresenceStatus.OFFLINE) return undefined;
  return { status: "offline", lastSeenAtMs: Number(lastSeenAtMs) || undefined };
}
