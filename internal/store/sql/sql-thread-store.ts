import type { Clock } from "../../base/clock.ts";
import type { Roster, RosterEntry } from "../../base/group.ts";
import type { Block, BlockStore } from "../block-store.ts";
import type { GroupStore } from "../group-store.ts";
import type { Profile, ProfileStore } from "../profile-store.ts";
import type { FoundWriters, Known, Sight, SightStore } from "../sight-store.ts";
import type {
  Device,
  DeviceStore,
  HistoryMark,
  ReadPosition,
  SyncPage,
  ThreadRow,
  ThreadStore,
  Touch,
  Visibility,
  VisibilityStore,
} from "../thread-store.ts";
import { BlockRows } from "./rows/block-rows.ts";
import { DeviceOpenings } from "./rows/device-openings.ts";
import { DeviceRows } from "./rows/device-rows.ts";
import { GroupRows } from "./rows/group-rows.ts";
import { ProfileRows } from "./rows/profile-rows.ts";
import { SightRows } from "./rows/sight-rows.ts";
import { type ListPlace, ThreadReads } from "./rows/thread-reads.ts";
import { ThreadRows } from "./rows/thread-rows.ts";
import type { storeStatements } from "./store-statements.ts";
import { get, run, type Work } from "./work.ts";

/** What one row's change costs in memory while it waits. */
export const CHANGE_BYTES = 512;

/** As above, with a picture's URL. */
const PROFILE_BYTES = 4_096;

/** Which history the rows are of, and where in it they are. */
export interface RowsHistory {
  /** The moment that a Sync is of, within its snapshot. */
  moment(ownerId: string): Work<Pick<SyncPage, "state" | "nowMs" | "version">>;
  /** See ThreadStore.knows. */
  knows(state: HistoryMark): Work<boolean>;
}

/** All stores of rows, for any dialect: what a dialect adds is how work is done, and the history. */
export abstract class SqlThreadStore
  implements ThreadStore, GroupStore, BlockStore, DeviceStore, VisibilityStore, SightStore, ProfileStore
{
  readonly #statements: ReturnType<typeof storeStatements>;
  readonly #rows: ThreadRows;
  readonly #reads: ThreadReads;
  readonly #groups: GroupRows;
  readonly #blocks: BlockRows;
  readonly #devices: DeviceRows;
  readonly #sights: SightRows;
  readonly #profiles: ProfileRows;
  readonly #openings: DeviceOpenings;

  /** `clock`: this process's. What time it is for rows, the store says. */
  constructor(statements: ReturnType<typeof storeStatements>, clock: Clock) {
    this.#statements = statements;
    const { threads, groups, blocks, devices, profiles, sights } = statements;
    const rows = { threads, takeVersion: (ownerId: string) => this.takeVersion(ownerId) };
    this.#openings = new DeviceOpenings(clock, (openings) =>
      // While the store does not serve only the times are missed.
      this.write(openings.length * CHANGE_BYTES, () => this.#devices.opened(openings)).catch(() => {}),
    );
    this.#rows = new ThreadRows(rows);
    this.#reads = new ThreadReads(threads);
    this.#groups = new GroupRows({ ...rows, groups });
    this.#blocks = new BlockRows(blocks);
    this.#devices = new DeviceRows(devices, this.#openings);
    this.#profiles = new ProfileRows(profiles);
    this.#sights = new SightRows(sights);
  }

  /** Does a read, which sees one moment. Rejects with STORE_UNAVAILABLE. */
  protected abstract read<T>(work: () => Work<T>): Promise<T>;

  /**
   * Does work in a transaction and resolves to its result once that is durable. `bytes` is what it takes while it waits.
   * The work may be done again where a first try came to nothing.
   */
  protected abstract write<T>(bytes: number, work: () => Work<T>): Promise<T>;

  protected abstract readonly history: RowsHistory;

  /** Writes what waits and nobody waits for: when known devices were used. Resolves when that was tried. */
  flush(): Promise<void> {
    return this.#openings.flush();
  }

  async createDirect(threadId: Uint8Array, users: readonly [string, string]): Promise<void> {
    await this.write(2 * CHANGE_BYTES, () => this.#rows.insertPair(threadId, ...users));
  }

  async touch(touches: readonly Touch[]): Promise<void> {
    const owners = touches.reduce((count, touch) => count + touch.ownerIds.length, 0);
    await this.write(owners * CHANGE_BYTES, () => this.applyTouches(touches));
  }

  get(ownerId: string, threadIds: readonly Uint8Array[]): Promise<readonly ThreadRow[]> {
    return this.read(() => this.#rows.getAll(ownerId, threadIds));
  }

  list(ownerId: string, limit: number, before?: ListPlace): Promise<readonly ThreadRow[]> {
    return this.read(() => this.#reads.list(ownerId, limit, before));
  }

  sync(
    ownerId: string,
    cursor: { readonly version: number; readonly atMs: number } | undefined,
    afterVersion: number,
    limit: number,
    afterLarge?: Uint8Array,
  ): Promise<SyncPage> {
    const { history } = this;
    const reads = this.#reads;
    return this.read(function* () {
      const moment = yield* history.moment(ownerId);
      return { ...moment, ...(yield* reads.sync(ownerId, cursor, afterVersion, limit, afterLarge)) };
    });
  }

  knows(state: HistoryMark): Promise<boolean> {
    return this.read(() => this.history.knows(state));
  }

  setMuted(ownerId: string, threadId: Uint8Array, isMuted: boolean): Promise<ThreadRow | undefined> {
    return this.write(CHANGE_BYTES, () => this.#rows.setMuted(ownerId, threadId, isMuted));
  }

  async raiseRead(positions: readonly ReadPosition[]): Promise<void> {
    await this.write(positions.length * CHANGE_BYTES, () => this.#rows.raiseRead(positions));
  }

  roster(threadId: Uint8Array): Promise<Roster | undefined> {
    return this.read(() => this.#groups.roster(threadId));
  }

  project(entry: RosterEntry, headBucket: number): Promise<number> {
    const { added, removed, changed } = entry;
    const bytes = (1 + added.length + removed.length + changed.length) * CHANGE_BYTES;
    return this.write(bytes, () => this.#groups.project(entry, headBucket));
  }

  changeSeq(threadId: Uint8Array, sender: string, requestId: Uint8Array): Promise<number | undefined> {
    return this.read(() => this.#groups.changeSeq(threadId, sender, requestId));
  }

  noteActivity(threadId: Uint8Array, headBucket: number): Promise<void> {
    return this.write(CHANGE_BYTES, () => this.#groups.noteActivity(threadId, headBucket));
  }

  rowsOf(threadId: Uint8Array, ownerIds: readonly string[]): Promise<readonly ThreadRow[]> {
    return this.read(() => this.#groups.rowsOf(threadId, ownerIds));
  }

  memberPage(threadId: Uint8Array, viewerId: string, afterUserId: string, limit: number) {
    return this.read(() => this.#groups.memberPage(threadId, viewerId, afterUserId, limit));
  }

  groupsOf(userId: string): Promise<readonly Uint8Array[]> {
    return this.read(() => this.#groups.groupsOf(userId));
  }

  largeGroupCounts(userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.read(() => this.#groups.largeGroupCounts(userIds));
  }

  shareGroup(a: string, b: string): Promise<boolean> {
    return this.read(() => this.#groups.shareGroup(a, b));
  }

  noteWriter(threadId: Uint8Array, userId: string, seq: number): Promise<boolean> {
    return this.write(CHANGE_BYTES, () => this.#sights.note(threadId, userId, seq));
  }

  hasWritten(threadId: Uint8Array, userId: string): Promise<Known> {
    return this.read(() => this.#sights.hasWritten(threadId, userId));
  }

  sight(viewer: string, user: string, directId: Uint8Array): Promise<Sight> {
    return this.read(() => this.#sights.sight(viewer, user, directId));
  }

  async learnWriters(threadId: Uint8Array, userIds: readonly string[], found: FoundWriters): Promise<void> {
    await this.write(CHANGE_BYTES, () => this.#sights.learn(threadId, userIds, found));
  }

  setBlocked(threadId: Uint8Array, block: Block, isBlocked: boolean): Promise<ThreadRow> {
    const { ownerId, otherUserId } = block;
    const rows = this.#rows;
    const blocks = this.#blocks;
    return this.write(3 * CHANGE_BYTES, function* () {
      yield* rows.insertPair(threadId, ownerId, otherUserId); // Which locks both.
      if (yield* blocks.set(block, isBlocked)) yield* rows.renew(ownerId, threadId);
      const row = yield* rows.get(ownerId, threadId);
      if (!row) throw new Error("the row that was just made is missing");
      return row;
    });
  }

  blocksBetween(userId: string, otherIds: readonly string[]): Promise<readonly Block[]> {
    return this.read(() => this.#blocks.between(userId, otherIds));
  }

  listBlocked(ownerId: string, afterUserId: string, limit: number): Promise<readonly string[]> {
    return this.read(() => this.#blocks.list(ownerId, afterUserId, limit));
  }

  async openDevice(
    ownerId: string,
    deviceId: string,
    live?: readonly string[],
  ): Promise<"open" | "revoked" | "full"> {
    const state = await this.read(() => this.#devices.state(ownerId, deviceId));
    if (state === "open") this.#openings.note(ownerId, deviceId);
    if (state !== "unknown") return state;
    return this.write(CHANGE_BYTES, () => this.#devices.open(ownerId, deviceId, live));
  }

  noteUse(ownerId: string, deviceId: string): void {
    this.#openings.note(ownerId, deviceId);
  }

  listDevices(ownerId: string): Promise<readonly Device[]> {
    return this.read(() => this.#devices.list(ownerId));
  }

  revokedDevices(ownerId: string, deviceIds: readonly string[]): Promise<readonly string[]> {
    const devices = this.#devices;
    return this.read(function* () {
      const revoked: string[] = [];
      for (const deviceId of deviceIds) {
        if ((yield* devices.state(ownerId, deviceId)) === "revoked") revoked.push(deviceId);
      }
      return revoked;
    });
  }

  revokeDevice(ownerId: string, deviceId: string): Promise<boolean> {
    return this.write(CHANGE_BYTES, () => this.#devices.revoke(ownerId, deviceId));
  }

  readProfiles(userIds: readonly string[]): Promise<ReadonlyMap<string, Profile>> {
    return this.read(() => this.#profiles.read(userIds));
  }

  async noteProfile(userId: string, given: Partial<Profile>): Promise<void> {
    if (!(await this.read(() => this.#profiles.changed(userId, given)))) return;
    await this.write(PROFILE_BYTES, () => this.#profiles.note(userId, given));
  }

  async setProfile(userId: string, profile: Profile | undefined): Promise<void> {
    await this.write(PROFILE_BYTES, () => this.#profiles.set(userId, profile));
  }

  readVisibility(ownerId: string): Promise<Visibility> {
    const { readVisibility } = this.#statements.visibility;
    return this.read(function* () {
      return (yield* get(readVisibility, { ownerId }))?.visibility ?? "shared";
    });
  }

  async setVisibility(ownerId: string, visibility: Visibility): Promise<void> {
    await this.write(CHANGE_BYTES, () =>
      run(this.#statements.visibility.setVisibility, { ownerId, visibility }),
    );
  }

  /** Takes the owner's next version. Only within the transaction of the row that gets it. */
  protected *takeVersion(ownerId: string): Work<number> {
    const taken = yield* get(this.#statements.threads.takeVersion, { ownerId });
    if (!taken) throw new Error("the counter row gave no version");
    return taken.version;
  }

  /** The work of `touch`. Only within a transaction. */
  protected applyTouches(touches: readonly Touch[]): Work<void> {
    return this.#rows.touch(touches);
  }
}
