import type { Clock } from "../../base/clock.ts";
import { hex } from "../../base/ids.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import type { Tick } from "../../stream/each-tick.ts";
import type { Presence } from "../ports.ts";
import { PresenceLinks } from "./presence-links.ts";
import { PresenceReports } from "./presence-reports.ts";
import { Watches, type Watching } from "./watches.ts";

export interface SessionPresenceInit {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly tick: Tick;
  readonly presence: Presence;
  /** The push server's name in the registry. */
  readonly name: string;
}

/** A session, as presence knows it. */
export interface PresentSession extends Watching {
  readonly identity: { readonly userId: string; readonly sessionId: Uint8Array };
}

/** The push server's part in presence: which sessions are there, and what they watch. */
export class SessionPresence {
  readonly #links: PresenceLinks;
  readonly #reports: PresenceReports;
  readonly #watches: Watches;
  /** What each open session is called: its id may be used again, a name never is. */
  readonly #names = new Map<PresentSession, string>();
  #opened = 0;

  constructor(init: SessionPresenceInit) {
    const { clock } = init;
    this.#links = new PresenceLinks({
      ...init,
      told: (userId, presence, sessions) => this.#watches.told(userId, presence, sessions),
      renewed: () => {
        this.#reports.digest();
        this.#watches.renewed();
      },
    });
    this.#reports = new PresenceReports({ ...init, links: this.#links });
    this.#watches = new Watches(clock, this.#links);
  }

  /** The session has said `open`. */
  opened(session: PresentSession): void {
    const { sessionId, userId } = session.identity;
    const name = `${hex(sessionId)}.${++this.#opened}`;
    this.#names.set(session, name);
    this.#reports.opened(name, userId);
  }

  /** The session is over. One that never opened changes nothing. */
  ended(session: PresentSession): void {
    const name = this.#names.get(session);
    if (name === undefined) return;
    this.#names.delete(session);
    this.#reports.ended(name);
    this.#watches.ended(name);
  }

  /** Replaces the set of users that an open session watches. */
  watch(session: PresentSession, userIds: readonly string[]): void {
    const name = this.#names.get(session);
    if (name !== undefined) this.#watches.set(name, session, userIds);
  }

  /** Says what is left to say, and goodbye. */
  async close(): Promise<void> {
    await this.#reports.close();
    this.#links.close();
  }
}
