import type { Profile } from "../../profile-store.ts";
import type { profileStatements } from "../profile-statements.ts";
import { get, lockOwners, run, type Work } from "../work.ts";

/** Profiles, as the work of reads and transactions. */
export class ProfileRows {
  readonly #statements: ReturnType<typeof profileStatements>;

  constructor(statements: ReturnType<typeof profileStatements>) {
    this.#statements = statements;
  }

  /** See ProfileStore.readProfiles. */
  *read(userIds: readonly string[]): Work<ReadonlyMap<string, Profile>> {
    const found = new Map<string, Profile>();
    for (const userId of userIds) {
      const row = yield* get(this.#statements.readProfile, { userId });
      if (row) found.set(userId, { displayName: row.display_name, pictureUrl: row.picture_url });
    }
    return found;
  }

  /** What `given` makes of the user's profile; undefined where nothing is to be written. */
  *changed(userId: string, given: Partial<Profile>): Work<Profile | undefined> {
    const row = yield* get(this.#statements.readProfile, { userId });
    if (row?.is_own) return undefined;
    const before = { displayName: row?.display_name ?? "", pictureUrl: row?.picture_url ?? "" };
    const { displayName = before.displayName, pictureUrl = before.pictureUrl } = given;
    const isSame = displayName === before.displayName && pictureUrl === before.pictureUrl;
    return isSame ? undefined : { displayName, pictureUrl };
  }

  /** Only within a transaction: looks again, as the user may have set a profile since. */
  *note(userId: string, given: Partial<Profile>): Work<void> {
    yield* lockOwners([userId]);
    const profile = yield* this.changed(userId, given);
    if (profile) yield* run(this.#statements.putProfile, { userId, ...profile, isOwn: 0 });
  }

  /** See ProfileStore.setProfile. Only within a transaction. */
  *set(userId: string, profile: Profile | undefined): Work<void> {
    yield* lockOwners([userId]);
    if (profile) yield* run(this.#statements.putProfile, { userId, ...profile, isOwn: 1 });
    else yield* run(this.#statements.deleteProfile, { userId });
  }
}
