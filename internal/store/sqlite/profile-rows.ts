import type { Profile } from "../profile-store.ts";
import type { profileStatements } from "../sql/profile-statements.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/** Profiles, as the synchronous work of reads and transactions. */
export class ProfileRows {
  readonly #file: SqliteFile;
  readonly #statements: ReturnType<typeof profileStatements>;

  constructor(file: SqliteFile, statements: ReturnType<typeof profileStatements>) {
    this.#file = file;
    this.#statements = statements;
  }

  /** See ProfileStore.readProfiles. */
  read(userIds: readonly string[]): ReadonlyMap<string, Profile> {
    const found = new Map<string, Profile>();
    for (const userId of userIds) {
      const row = this.#file.get(this.#statements.readProfile, { userId });
      if (row) found.set(userId, { displayName: row.display_name, pictureUrl: row.picture_url });
    }
    return found;
  }

  /** What `given` makes of the user's profile; undefined where nothing is to be written. */
  changed(userId: string, given: Partial<Profile>): Profile | undefined {
    const row = this.#file.get(this.#statements.readProfile, { userId });
    if (row?.is_own) return undefined;
    const before = { displayName: row?.display_name ?? "", pictureUrl: row?.picture_url ?? "" };
    const { displayName = before.displayName, pictureUrl = before.pictureUrl } = given;
    const isSame = displayName === before.displayName && pictureUrl === before.pictureUrl;
    return isSame ? undefined : { displayName, pictureUrl };
  }

  /** Only within a transaction: looks again, as the user may have set a profile since. */
  note(userId: string, given: Partial<Profile>): void {
    const profile = this.changed(userId, given);
    if (profile) this.#file.run(this.#statements.putProfile, { userId, ...profile, isOwn: 0 });
  }

  /** See ProfileStore.setProfile. Only within a transaction. */
  set(userId: string, profile: Profile | undefined): void {
    if (profile) this.#file.run(this.#statements.putProfile, { userId, ...profile, isOwn: 1 });
    else this.#file.run(this.#statements.deleteProfile, { userId });
  }
}
