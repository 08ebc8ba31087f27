import type { Clock } from "../../internal/base/clock.ts";
import type { Profile as WireProfile } from "../../internal/gen/heddle/profile/v1/profile_pb.js";
import { ProfileService } from "../../internal/gen/heddle/profile/v1/profile_service_pb.js";
import type { Events } from "../model/events.ts";
import type { Profile } from "../model/model.ts";
import type { Calls } from "../stream/calls.ts";

/** Users who are asked for in one call. */
const MOST_ASKED = 100;
/** Users that something is remembered of; of more, those that nobody has asked for longest are forgotten. */
const MOST_KNOWN = 1_000;
/** Users that are shown for the first time are gathered this long, in ms. */
const GATHER_MS = 50;

export interface ProfilesDeps {
  readonly calls: Calls;
  readonly events: Events;
  readonly clock: Clock;
}

/**
 * What users are called and look like, of those that the application shows. The server tells nobody of a change: all are
 * asked for again with each sync, and a new one as soon as it is shown. What could not be asked waits for the next sync.
 */
export class Profiles {
  readonly #deps: ProfilesDeps;
  /** The least recently asked for first; undefined: not known yet. */
  readonly #known = new Map<string, Profile | undefined>();
  #wanted = new Set<string>();
  #isOpen = false;

  constructor(deps: ProfilesDeps) {
    this.#deps = deps;
  }

  /** Undefined while it is not known; it is asked for then, and told by an event. */
  get(userId: string): Profile | undefined {
    const isNew = !this.#known.has(userId);
    const profile = this.#known.get(userId);
    this.#remember(userId, profile);
    if (isNew) this.#want(userId);
    return profile;
  }

  /** Those of these users, asked for now where they are not known. Rejects as the call does. */
  async list(userIds: Iterable<string>, signal?: AbortSignal): Promise<ReadonlyMap<string, Profile>> {
    const asked = [...new Set(userIds)];
    const missing = asked.filter((userId) => !this.#known.get(userId));
    const fresh = new Map((await this.#fetch(missing, signal)).map((each) => [each.userId, each]));
    const found = new Map<string, Profile>();
    for (const userId of asked) {
      const profile = fresh.get(userId) ?? this.#known.get(userId);
      if (profile) found.set(userId, profile);
    }
    return found;
  }

  /** The stream is caught up, or a sync has ended: asks for all that are shown. */
  refresh(): void {
    this.#isOpen = true;
    this.#wanted = new Set();
    void this.#ask([...this.#known.keys()]);
  }

  /** There is no connection. */
  lost(): void {
    this.#isOpen = false;
  }

  /** The server has said it. */
  takeProfile(wire: WireProfile): Profile {
    const { userId } = wire;
    const profile = {
      userId,
      displayName: wire.displayName || undefined,
      pictureUrl: wire.pictureUrl || undefined,
    };
    const was = this.#known.get(userId);
    this.#remember(userId, profile);
    const isSame = was?.displayName === profile.displayName && was?.pictureUrl === profile.pictureUrl;
    if (!isSame) this.#deps.events.emit({ type: "profile", profile });
    return profile;
  }

  /** As the newest; the oldest goes. */
  #remember(userId: string, profile: Profile | undefined): void {
    this.#known.delete(userId);
    this.#known.set(userId, profile);
    if (this.#known.size <= MOST_KNOWN) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      break;
    }
  }

  #want(userId: string): void {
    if (!this.#isOpen) return;
    this.#wanted.add(userId);
    if (this.#wanted.size > 1) return;
    this.#deps.clock.after(GATHER_MS, () => {
      const wanted = this.#wanted;
      this.#wanted = new Set();
      if (this.#isOpen) void this.#ask([...wanted]);
    });
  }

  async #ask(userIds: readonly string[]): Promise<void> {
    await this.#fetch(userIds).catch(() => {}); // The next sync asks again; until then the ids are shown.
  }

  async #fetch(userIds: readonly string[], signal?: AbortSignal): Promise<Profile[]> {
    const found: Profile[] = [];
    for (let at = 0; at < userIds.length; at += MOST_ASKED) {
      const request = { userIds: userIds.slice(at, at + MOST_ASKED) };
      const { profiles } = await this.#deps.calls.call(ProfileService.method.getProfiles, request, signal);
      found.push(...profiles.map((wire) => this.takeProfile(wire)));
    }
    return found;
  }
}
