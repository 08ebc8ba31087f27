/** What people call a user, and a picture. "" for none. */
export interface Profile {
  readonly displayName: string;
  readonly pictureUrl: string;
}

/** Profiles of users. In the same store as the thread rows; no row's version changes with them. */
export interface ProfileStore {
  /** By user_id; those that nothing is stored of are left out. */
  readProfiles(userIds: readonly string[]): Promise<ReadonlyMap<string, Profile>>;
  /**
   * Keeps what a user's token says; undefined leaves what is stored. Writes only where that is a change, and nothing over
   * a profile that the user has set.
   */
  noteProfile(userId: string, given: Partial<Profile>): Promise<void>;
  /** Sets a profile, which tokens do not change from then on; undefined: forgets it, and tokens count again. */
  setProfile(userId: string, profile: Profile | undefined): Promise<void>;
}
