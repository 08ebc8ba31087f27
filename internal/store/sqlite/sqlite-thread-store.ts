import type { Clock } from "../../base/clock.ts";
import type { Roster, RosterEntry } from "../../base/group.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import { eventLoopTick, type Tick } from "../../stream/each-tick.ts";
import type { Block, BlockStore } from "../block-store.ts";
import { DataFolderError } from "../data-folder-error.ts";
import type { GroupStore } from "../group-store.ts";
import type { Profile, ProfileStore } from "../profile-store.ts";
import type { FoundWriters, Known, Sight, SightStore } from "../sight-store.ts";
import { blockStatements } from "../sql/block-statements.ts";
import { deviceStatements } from "../sql/device-statements.ts";
import { groupStatements } from "../sql/group-statements.ts";
import { profileStatements } from "../sql/profile-statements.ts";
import { sightStatements } from "../sql/sight-statements.ts";
import { threadStatements } from "../sql/thread-statements.ts";
import { visibilityStatements } from "../sql/visibility-statements.ts";
import type { StoreWatch } from "../store-watch.ts";
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
import { BlockRows } from "./block-rows.ts";
import { sqliteCompiler } from "./compiler.ts";
import { DeviceOpenings } from "./device-openings.ts";
import { DeviceRows } from "./device-rows.ts";
import { Eras } from "./eras.ts";
import { GroupRows } from "./group-rows.ts";
import { ProfileRows } from "./profile-rows.ts";
import { SightRows } from "./sight-rows.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { type ListPlace, ThreadReads } from "./thread-reads.ts";
import { ThreadRows } from "./thread-rows.ts";
import { WriteQueue } from "./write-queue.ts";

export interface SqliteThreadStoreInit {
  /** The file, made if there is none; its folder must exist. ":memory:" for a store that ends with the process. */
  readonly path: string;
  /** The store's clock, of which all times are. */
  readonly clock: Clock;
  /** Told of failures and recoveries. */
  readonly watch?: StoreWatch;
  /** No commit is synced: for a file on which nobody relies before it is finished. */
  readonly isScratch?: boolean;
  /** When writes that wait are committed together. The end of the event loop's turn but in tests. */
  readonly tick?: Tick;
}

const QUEUED_BYTES = 16 * 1024 * 1024;

/** What one row's change costs in memory while it waits. */
const CHANGE_BYTES = 512;

/** As above, with a picture's URL. */
const PROFILE_BYTES = 4_096;

const sql = threadStatements(sqliteCompiler);
const groupSql = groupStatements(sqliteCompiler);
const blockSql = blockStatements(sqliteCompiler);
const deviceSql = deviceStatements(sqliteCompiler);
const visibilitySql = visibilityStatements(sqliteCompiler);
const profileSql = profileStatements(sqliteCompiler);
const sightSql = sightStatements(sqliteCompiler);

/**
 * Thread rows, groups, blocks, devices, profiles and visibility in one SQLite file (docs/design.md, sections 6 and 8), for one
 * process: the file is locked while it is open. Writes of one turn of the event loop share a transaction (WriteQueue);
 * reads are synchronous inside, so each sees one moment.
 */
export class SqliteThreadStore
  implements ThreadStore, GroupStore, BlockStore, DeviceStore, VisibilityStore, SightStore, ProfileStore
{
  readonly #file: SqliteFile;
  readonly #queue: WriteQueue;
  readonly #clock: Clock;
  readonly #rows: ThreadRows;
  readonly #reads: ThreadReads;
  readonly #groups: GroupRows;
  readonly #blocks: BlockRows;
  readonly #devices: DeviceRows;
  readonly #sights: SightRows;
  readonly #profiles: ProfileRows;
  readonly #openings: DeviceOpenings;
  readonly #eras: Eras;

  /** Throws DataFolderError if the file is in use, unreadable or damaged. */
  constructor({ path, clock, watch, isScratch, tick = eventLoopTick }: SqliteThreadStoreInit) {
    this.#file = new SqliteFile(path, isScratch);
    this.#eras = new Eras(this.#file);
    this.#queue = new WriteQueue({
      file: this.#file,
      eras: this.#eras,
      clock,
      watch,
      tick,
      maxQueuedBytes: QUEUED_BYTES,
    });
    this.#clock = clock;
    const rows = {
      file: this.#file,
      clock,
      threads: sql,
      takeVersion: (ownerId: string) => this.takeVersion(ownerId),
    };
    this.#rows = new ThreadRows(rows);
    this.#reads = new ThreadReads(this.#file, sql);
    this.#groups = new GroupRows({ ...rows, groups: groupSql });
    this.#blocks = new BlockRows(this.#file, blockSql);
    this.#devices = new DeviceRows(this.#file, deviceSql);
    this.#profiles = new ProfileRows(this.#file, profileSql);
    this.#sights = new SightRows(this.#file, sightSql);
    this.#openings = new DeviceOpenings(clock, (openings) => {
      // While the disk is full only the times are missed.
      this.write(openings.length * CHANGE_BYTES, () => this.#devices.opened(openings)).catch(() => {});
    });
    this.#begin(path);
  }

  /** The last committed state: its mark is how many transactions this store has had, over all its starts. */
  get state(): HistoryMark {
    return this.#eras.now;
  }

  /** The mark of the message log beside it of which this store last took note. */
  get notedLogMark(): number {
    return this.#read(() => this.#eras.notedLogMark);
  }

  /** Takes note of the mark of the message log, durably. */
  async noteLogMark(mark: number): Promise<void> {
    await this.write(CHANGE_BYTES, () => this.#eras.noteLogMark(mark));
  }

  /** Copies the file, and resolves to a call that lets writes go on: until then the copy is what this store holds. */
  async copyTo(path: string): Promise<() => void> {
    let release = () => {};
    try {
      await this.#file.copyTo(path, () => {
        release = this.#queue.hold();
      });
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Whether writes succeed at present. */
  ready(): boolean {
    return this.#queue.ready;
  }

  /** Commits what waits and closes; later calls reject with STORE_UNAVAILABLE. */
  async close(): Promise<void> {
    this.#openings.flush();
    this.#queue.close();
    this.#file.close();
  }

  async createDirect(threadId: Uint8Array, users: readonly [string, string]): Promise<void> {
    await this.write(2 * CHANGE_BYTES, () => this.#rows.insertPair(threadId, ...users));
  }

  async touch(touches: readonly Touch[]): Promise<void> {
    const owners = touches.reduce((count, touch) => count + touch.ownerIds.length, 0);
    await this.write(owners * CHANGE_BYTES, () => this.applyTouches(touches));
  }

  async get(ownerId: string, threadIds: readonly Uint8Array[]): Promise<readonly ThreadRow[]> {
    return this.#read(() => threadIds.flatMap((threadId) => this.#rows.get(ownerId, threadId) ?? []));
  }

  async list(ownerId: string, limit: number, before?: ListPlace): Promise<readonly ThreadRow[]> {
    return this.#read(() => this.#reads.list(ownerId, limit, before));
  }

  async sync(
    ownerId: string,
    cursor: { readonly version: number; readonly atMs: number } | undefined,
    afterVersion: number,
    limit: number,
    afterLarge?: Uint8Array,
  ): Promise<SyncPage> {
    return this.#read(() => ({
      ...this.#reads.sync(ownerId, cursor, afterVersion, limit, afterLarge),
      state: this.#eras.now,
      nowMs: this.#clock.nowMs(),
      version: this.#file.get(sql.readVersion, { ownerId })?.version ?? 0,
    }));
  }

  async knows(state: HistoryMark): Promise<boolean> {
    return this.#read(() => this.#eras.knows(state));
  }

  setMuted(ownerId: string, threadId: Uint8Array, isMuted: boolean): Promise<ThreadRow | undefined> {
    return this.write(CHANGE_BYTES, () => this.#rows.setMuted(ownerId, threadId, isMuted));
  }

  async raiseRead(positions: readonly ReadPosition[]): Promise<void> {
    await this.write(positions.length * CHANGE_BYTES, () => this.#rows.raiseRead(positions));
  }

  async roster(threadId: Uint8Array): Promise<Roster | undefined> {
    return this.#read(() => this.#groups.roster(threadId));
  }

  project(entry: RosterEntry, headBucket: number): Promise<number> {
    const { added, removed, changed } = entry;
    const bytes = (1 + added.length + removed.length + changed.length) * CHANGE_BYTES;
    return this.write(bytes, () => this.#groups.project(entry, headBucket));
  }

  async changeSeq(threadId: Uint8Array, sender: string, requestId: Uint8Array): Promise<number | undefined> {
    return this.#read(() => this.#groups.changeSeq(threadId, sender, requestId));
  }

  noteActivity(threadId: Uint8Array, headBucket: number): Promise<void> {
    return this.write(CHANGE_BYTES, () => this.#groups.noteActivity(threadId, headBucket));
  }

  async rowsOf(threadId: Uint8Array, ownerIds: readonly string[]): Promise<readonly ThreadRow[]> {
    return this.#read(() => this.#groups.rowsOf(threadId, ownerIds));
  }

  async memberPage(threadId: Uint8Array, viewerId: string, afterUserId: string, limit: number) {
    return this.#read(() => this.#groups.memberPage(threadId, viewerId, afterUserId, limit));
  }

  async groupsOf(userId: string): Promise<readonly Uint8Array[]> {
    return this.#read(() => this.#groups.groupsOf(userId));
  }

  async largeGroupCounts(userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#read(() => this.#groups.largeGroupCounts(userIds));
  }

  async shareGroup(a: string, b: string): Promise<boolean> {
    return this.#read(() => this.#groups.shareGroup(a, b));
  }

  noteWriter(threadId: Uint8Array, userId: string, seq: number): Promise<boolean> {
    return this.write(CHANGE_BYTES, () => this.#sights.note(threadId, userId, seq));
  }

  async hasWritten(threadId: Uint8Array, userId: string): Promise<Known> {
    return this.#read(() => this.#sights.hasWritten(threadId, userId));
  }

  async sight(viewer: string, user: string, directId: Uint8Array): Promise<Sight> {
    return this.#read(() => this.#sights.sight(viewer, user, directId));
  }

  async learnWriters(threadId: Uint8Array, userIds: readonly string[], found: FoundWriters): Promise<void> {
    await this.write(CHANGE_BYTES, () => this.#sights.learn(threadId, userIds, found));
  }

  setBlocked(threadId: Uint8Array, block: Block, isBlocked: boolean): Promise<ThreadRow> {
    const { ownerId, otherUserId } = block;
    return this.write(3 * CHANGE_BYTES, () => {
      this.#rows.insertPair(threadId, ownerId, otherUserId);
      if (this.#blocks.set(block, isBlocked)) this.#rows.renew(ownerId, threadId);
      const row = this.#rows.get(ownerId, threadId);
      if (!row) throw new Error("the row that was just made is missing");
      return row;
    });
  }

  async blocksBetween(userId: string, otherIds: readonly string[]): Promise<readonly Block[]> {
    return this.#read(() => this.#blocks.between(userId, otherIds));
  }

  async listBlocked(ownerId: string, afterUserId: string, limit: number): Promise<readonly string[]> {
    return this.#read(() => this.#blocks.list(ownerId, afterUserId, limit));
  }

  async openDevice(
    ownerId: string,
    deviceId: string,
    live?: readonly string[],
  ): Promise<"open" | "revoked" | "full"> {
    const state = this.#read(() => this.#devices.state(ownerId, deviceId));
    if (state === "open") this.#openings.note(ownerId, deviceId);
    if (state !== "unknown") return state;
    const longestUnused = () =>
      live && this.#usedDevices(ownerId).findLast((one) => !live.includes(one.deviceId));
    return this.write(CHANGE_BYTES, () =>
      this.#devices.open(ownerId, deviceId, this.#clock.nowMs(), () => longestUnused()?.deviceId),
    );
  }

  noteUse(ownerId: string, deviceId: string): void {
    this.#openings.note(ownerId, deviceId);
  }

  async listDevices(ownerId: string): Promise<readonly Device[]> {
    return this.#read(() => this.#usedDevices(ownerId));
  }

  /** The rows' order but for the openings that wait; equal times stay in the order of names. */
  #usedDevices(ownerId: string): readonly Device[] {
    const devices = this.#devices.list(ownerId).map((device) => {
      const openedAtMs = this.#openings.atMs(ownerId, device.deviceId);
      return openedAtMs === undefined ? device : { ...device, lastOpenedAtMs: openedAtMs };
    });
    return devices.sort((a, b) => b.lastOpenedAtMs - a.lastOpenedAtMs || (a.deviceId < b.deviceId ? -1 : 1));
  }

  async revokedDevices(ownerId: string, deviceIds: readonly string[]): Promise<readonly string[]> {
    return this.#read(() => deviceIds.filter((id) => this.#devices.state(ownerId, id) === "revoked"));
  }

  revokeDevice(ownerId: string, deviceId: string): Promise<boolean> {
    return this.write(CHANGE_BYTES, () => this.#devices.revoke(ownerId, deviceId, this.#clock.nowMs()));
  }

  async readProfiles(userIds: readonly string[]): Promise<ReadonlyMap<string, Profile>> {
    return this.#read(() => this.#profiles.read(userIds));
  }

  async noteProfile(userId: string, given: Partial<Profile>): Promise<void> {
    if (!this.#read(() => this.#profiles.changed(userId, given))) return;
    await this.write(PROFILE_BYTES, () => this.#profiles.note(userId, given));
  }

  async setProfile(userId: string, profile: Profile | undefined): Promise<void> {
    await this.write(PROFILE_BYTES, () => this.#profiles.set(userId, profile));
  }

  async readVisibility(ownerId: string): Promise<Visibility> {
    return this.#read(
      () => this.#file.get(visibilitySql.readVisibility, { ownerId })?.visibility ?? "shared",
    );
  }

  async setVisibility(ownerId: string, visibility: Visibility): Promise<void> {
    await this.write(CHANGE_BYTES, () => {
      this.#file.run(visibilitySql.setVisibility, { ownerId, visibility });
    });
  }

  /** Does synchronous work in a transaction and resolves to its result once that is durable. */
  protected write<T>(bytes: number, work: () => T): Promise<T> {
    return this.#queue.write(bytes, work);
  }

  /** Takes the owner's next version. Only within the transaction of the row that gets it. */
  protected takeVersion(ownerId: string): number {
    const taken = this.#file.get(sql.takeVersion, { ownerId });
    if (!taken) throw new Error("the counter row gave no version");
    return taken.version;
  }

  /** The work of `touch`. Only within a transaction. */
  protected applyTouches(touches: readonly Touch[]): void {
    this.#rows.touch(touches);
  }

  #begin(path: string): void {
    try {
      this.#eras.begin();
    } catch (error) {
      this.#file.close();
      throw DataFolderError.unusable(path, error);
    }
  }

  #read<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeUnavailable("thread", error);
    }
  }
}
