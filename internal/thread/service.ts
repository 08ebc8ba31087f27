import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import { Code, ErrorReason, HeddleError, selfThread, threadNotFound } from "../base/heddle-error.ts";
import { type History, NO_HISTORY } from "../base/history.ts";
import { directThreadId, participants } from "../base/thread-id.ts";
import type { Thread } from "../gen/heddle/thread/v1/thread_pb.js";
import type * as rpc from "../gen/heddle/thread/v1/thread_service_pb.js";
import type { BlockStore } from "../store/block-store.ts";
import type { GroupStore } from "../store/group-store.ts";
import type { DeviceStore, ThreadStore } from "../store/thread-store.ts";
import { BlockCalls } from "./block-calls.ts";
import { GroupCalls } from "./group-calls.ts";
import type { Call, Channel, EntryTimes, GroupLog, Heads, Presence } from "./ports.ts";
import { RecentThreads } from "./recent-threads.ts";
import { MAX_SYNC_PAGE, Sync } from "./sync.ts";
import { deviceRevoked, toThread } from "./thread-message.ts";
import { ThreadViews } from "./thread-views.ts";

type Store = ThreadStore & GroupStore & BlockStore & DeviceStore;

export interface ThreadPorts {
  readonly store: Store;
  readonly heads: Heads & EntryTimes;
  /** Where changes of groups and blocks are judged. */
  readonly log: GroupLog;
  readonly presence: Presence;
  readonly channel: Channel;
  /** What Sync tells of the logs; without it nothing. */
  readonly history?: History;
  readonly clock: Clock;
}

/** A page of Sync as push servers take it. */
export interface SyncPage {
  readonly threads: Thread[];
  /** Empty on the last page. */
  readonly nextPageToken: Uint8Array;
  /** On the last page. */
  readonly cursor: Uint8Array;
  readonly logEpoch: bigint;
}

/**
 * The thread service: the RPCs of ThreadService, and Sync and groups for push servers. What the message and presence
 * services need is in Directory, which stands alone because this one needs them.
 */
export class ThreadService {
  readonly #store: Store;
  readonly #channel: Channel;
  readonly #views: ThreadViews;
  readonly #sync: Sync;
  readonly #recent: RecentThreads;
  readonly #groups: GroupCalls;
  readonly #blocks: BlockCalls;
  readonly #history: History;

  constructor({ store, heads, log, presence, channel, clock, history = NO_HISTORY }: ThreadPorts) {
    this.#store = store;
    this.#history = history;
    this.#channel = channel;
    this.#views = new ThreadViews({ store, heads, channel });
    this.#sync = new Sync({ rows: store, heads });
    this.#recent = new RecentThreads({ rows: store, heads, clock });
    this.#groups = new GroupCalls({ store, log, presence, views: this.#views });
    this.#blocks = new BlockCalls({ store, log, presence, channel, views: this.#views });
  }

  /** A page of Sync, for push servers. An empty pageToken asks for the first. */
  async sync(
    userId: string,
    cursor: Uint8Array,
    pageToken: Uint8Array,
    pageSize = MAX_SYNC_PAGE,
  ): Promise<SyncPage> {
    const page = await this.#sync.page(userId, cursor, pageToken, pageSize);
    return { ...page, threads: page.threads.map(toThread), logEpoch: BigInt(this.#history.logEpoch) };
  }

  /** The ids of the groups that the user is a member of, for push servers. From the primary. */
  groups(userId: string): Promise<readonly Uint8Array[]> {
    return this.#store.groupsOf(userId);
  }

  /** Notes that the device was in use until now, for push servers. */
  deviceUsed(userId: string, deviceId: string): void {
    this.#store.noteUse(userId, deviceId);
  }

  /** Which of these devices of the user were revoked, for push servers. From the primary. */
  revoked(userId: string, deviceIds: readonly string[]): Promise<readonly string[]> {
    return this.#store.revokedDevices(userId, deviceIds);
  }

  /** The RPCs of ThreadService. Requests have passed the rules of the schema. */
  readonly handlers = {
    createDirectThread: (request: rpc.CreateDirectThreadRequest, call: Call) => this.#create(request, call),
    createGroup: (request: rpc.CreateGroupRequest, call: Call) => this.#groups.create(request, call),
    addMembers: (request: rpc.AddMembersRequest, call: Call) => this.#groups.addMembers(request, call),
    removeMembers: (request: rpc.RemoveMembersRequest, call: Call) =>
      this.#groups.removeMembers(request, call),
    leaveGroup: (request: rpc.LeaveGroupRequest, call: Call) => this.#groups.leave(request, call),
    setMemberRole: (request: rpc.SetMemberRoleRequest, call: Call) => this.#groups.setRole(request, call),
    renameGroup: (request: rpc.RenameGroupRequest, call: Call) => this.#groups.rename(request, call),
    listMembers: (request: rpc.ListMembersRequest, call: Call) => this.#groups.listMembers(request, call),
    blockUser: (request: rpc.BlockUserRequest, call: Call) => this.#blocks.block(request, call),
    unblockUser: (request: rpc.UnblockUserRequest, call: Call) => this.#blocks.unblock(request, call),
    listBlockedUsers: (request: rpc.ListBlockedUsersRequest, call: Call) => this.#blocks.list(request, call),
    getThread: (request: rpc.GetThreadRequest, call: Call) => this.#get(request, call),
    listThreads: (request: rpc.ListThreadsRequest, call: Call) => this.#list(request, call),
    sync: (request: rpc.SyncRequest, call: Call) =>
      this.sync(call.caller.userId, request.cursor, request.pageToken, request.pageSize),
    setMuted: (request: rpc.SetMutedRequest, call: Call) => this.#setMuted(request, call),
    listDevices: (_request: rpc.ListDevicesRequest, call: Call) => this.#listDevices(call),
    revokeDevice: (request: rpc.RevokeDeviceRequest, call: Call) => this.#revokeDevice(request, call),
  };

  async #create({ userId: other }: rpc.CreateDirectThreadRequest, { caller }: Call) {
    if (other === caller.userId) throw selfThread();
    const threadId = directThreadId(caller.userId, other);
    await this.#store.createDirect(threadId, participants(caller.userId, other));
    return { thread: toThread(await this.#views.readView(caller.userId, threadId)) };
  }

  async #get({ threadId }: rpc.GetThreadRequest, { caller }: Call) {
    return { thread: toThread(await this.#views.readView(caller.userId, threadId)) };
  }

  async #list({ pageToken, pageSize }: rpc.ListThreadsRequest, { caller }: Call) {
    const page = await this.#recent.page(caller.userId, pageToken, pageSize);
    return { ...page, threads: page.threads.map(toThread) };
  }

  /** Publishes even if the mark was set already: the try before may have ended between the two. */
  async #setMuted({ threadId, isMuted }: rpc.SetMutedRequest, { caller }: Call) {
    if (!(await this.#store.setMuted(caller.userId, threadId, isMuted))) throw threadNotFound();
    return { thread: toThread(await this.#views.tellAll(threadId, [caller.userId])) };
  }

  async #listDevices({ caller }: Call) {
    const devices = await this.#store.listDevices(caller.userId);
    return {
      devices: devices.map(({ deviceId, createdAtMs, lastOpenedAtMs }) => ({
        deviceId,
        createdAtMs: BigInt(createdAtMs),
        lastOpenedAtMs: BigInt(lastOpenedAtMs),
      })),
    };
  }

  /** Stored first, so that a stream which the publication ends finds the device revoked when it comes back. */
  async #revokeDevice({ deviceId }: rpc.RevokeDeviceRequest, { caller }: Call) {
    if (!(await this.#store.revokeDevice(caller.userId, deviceId))) {
      throw new HeddleError(Code.NOT_FOUND, ErrorReason.DEVICE_NOT_FOUND, "no such device");
    }
    await this.#channel.publish(deviceRevoked(caller.userId, deviceId));
    return {} satisfies MessageInitShape<typeof rpc.RevokeDeviceResponseSchema>;
  }
}
