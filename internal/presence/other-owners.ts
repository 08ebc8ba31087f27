import type { Clock } from "../base/clock.ts";
import { peerUnavailable } from "../base/heddle-error.ts";
import type { ShownPresence } from "../base/presence.ts";
import { rendezvousOwner } from "../base/rendezvous.ts";
import type { Member } from "../base/ring.ts";
import { Deadlines } from "../stream/deadlines.ts";
import { ASK_MS } from "./limits.ts";
import type { Place } from "./ports.ts";

export interface OtherOwnersInit {
  readonly clock: Clock;
  readonly place: Place;
}

/** Asks the other instances what is to be shown of the users that they own. */
export class OtherOwners {
  readonly #place: Place;
  readonly #deadlines: Deadlines;

  constructor({ clock, place }: OtherOwnersInit) {
    this.#place = place;
    this.#deadlines = new Deadlines(clock);
  }

  /** Puts what they say into `found`, at most ASK_MS long. Of an owner that does not answer nothing is known. Never rejects. */
  async ask(userIds: readonly string[], found: Map<string, ShownPresence>): Promise<void> {
    const { ring, name } = this.#place;
    const { members } = ring.view();
    const byOwner = new Map<Member, string[]>();
    for (const userId of userIds) {
      const owner = rendezvousOwner(members, userId);
      if (!owner || owner.name === name) continue;
      const named = byOwner.get(owner);
      if (named) named.push(userId);
      else byOwner.set(owner, [userId]);
    }
    await Promise.all(Array.from(byOwner, ([owner, named]) => this.#askOne(owner, named, found)));
  }

  async #askOne(owner: Member, userIds: readonly string[], found: Map<string, ShownPresence>): Promise<void> {
    try {
      const asked = this.#place.instance(owner).presencesOf(userIds);
      const answer = await this.#deadlines.bound(asked, ASK_MS, () => peerUnavailable("presence"));
      for (const [userId, presence] of answer) found.set(userId, presence);
    } catch {
      // Nothing is concluded: they are shown as unknown.
    }
  }
}
