import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError, threadNotFound } from "../base/heddle-error.ts";
import { directThreadId, participants } from "../base/thread-id.ts";
import type { Thread } from "../gen/heddle/thread/v1/thread_pb.js";
import type * as rpc from "../gen/heddle/thread/v1/thread_service_pb.js";
import type { DeviceStore, ThreadRow, ThreadStore } from "../store/thread-store.ts";
import { type ListedThread, withHeads } from "./listed-threads.ts";
import type { Channel, Heads } from "./ports.ts";
import { RecentThreads } from "./recent-threads.ts";
import { MAX_SYNC_PAGE, Sync } from "./sync.ts";
import { deviceRevoked, threadChanged, toThread } from "./thread-message.ts";

export interface ThreadPorts {
  readonly store: ThreadStore & DeviceStore;
  readonly heads: Heads;
  readonly channel: Channel;
}

/** Who calls, as the rpc layer says. */
interface Call {
  readonly caller: { readonly userId: string };
}

/** A page of Sync as push servers take it. */
export interface SyncPage {
  readonly threads: Thread[];
  /** Empty on the last page. */
  readonly nextPageToken: Uint8Array;
  /** On the last page. */
  readonly cursor: Uint8Array;
}

/**
 * The thread service: the RPCs of ThreadService, and Sync for push servers. What the message service needs is in
 * Directory, which stands alone because heads come from the message service.
 */
export class ThreadService {
  readonly #store: ThreadStore & DeviceStore;
  readonly #heads: Heads;
  readonly #channel: Channel;
  readonly #sync: Sync;
  readonly #recent: RecentThreads;

  constructor({ store, heads, channel }: ThreadPorts) {
    this.#store = store;
    this.#heads = heads;
    this.#channel = channel;
    this.#sync = new Sync({ rows: store, heads });
    this.#recent = new RecentThreads({ rows: store, heads });
  }

  /** A page of Sync, for push servers. An empty pageToken asks for the first. */
  async sync(
    userId: string,
    cursor: Uint8Array,
    pageToken: Uint8Array,
    pageSize = MAX_SYNC_PAGE,
  ): Promise<SyncPage> {
    const page = await this.#sync.page(userId, cursor, pageToken, pageSize);
    return { ...page, threads: page.threads.map(toThread) };
  }

  /** The RPCs of ThreadService. Requests have passed the rules of the schema. */
  readonly handlers = {
    createDirectThread: (request: rpc.CreateDirectThreadRequest, call: Call) => this.#create(request, call),
    getThread: (request: rpc.GetThreadRequest, call: Call) => this.#get(request, call),
    listThreads: (request: rpc.ListThreadsRequest, call: Call) => this.#list(request, call),
    sync: (request: rpc.SyncRequest, call: Call) =>
      this.sync(call.caller.userId, request.cursor, request.pageToken, request.pageSize),
    setMuted: (request: rpc.SetMutedRequest, call: Call) => this.#setMuted(request, call),
    listDevices: (_request: rpc.ListDevicesRequest, call: Call) => this.#listDevices(call),
    revokeDevice: (request: rpc.RevokeDeviceRequest, call: Call) => this.#revokeDevice(request, call),
  };

  async #create({ userId: other }: rpc.CreateDirectThreadRequest, { caller }: Call) {
    if (other === caller.userId) {
      const text = "a direct thread needs two different users";
      throw new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.SELF_THREAD, text);
    }
    const threadId = directThreadId(caller.userId, other);
    await this.#store.createDirect(threadId, participants(caller.userId, other));
    return { thread: toThread(await this.#read(caller.userId, threadId)) };
  }

  async #get({ threadId }: rpc.GetThreadRequest, { caller }: Call) {
    return { thread: toThread(await this.#read(caller.userId, threadId)) };
  }

  async #list({ pageToken, pageSize }: rpc.ListThreadsRequest, { caller }: Call) {
    const page = await this.#recent.page(caller.userId, pageToken, pageSize);
    return { ...page, threads: page.threads.map(toThread) };
  }

  /** Publishes even if the mark was set already: the try before may have ended between the two. */
  async #setMuted({ threadId, isMuted }: rpc.SetMutedRequest, { caller }: Call) {
    const listed = await this.#withHead(await this.#store.setMuted(caller.userId, threadId, isMuted));
    await this.#channel.publish(threadChanged(listed));
    return { thread: toThread(listed) };
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

  async #read(ownerId: string, threadId: Uint8Array): Promise<ListedThread> {
    const [row] = await this.#store.get(ownerId, [threadId]);
    return this.#withHead(row);
  }

  async #withHead(row: ThreadRow | undefined): Promise<ListedThread> {
    const [listed] = row ? await withHeads(this.#heads, [row]) : [];
    if (!listed) throw threadNotFound();
    return listed;
  }
}
