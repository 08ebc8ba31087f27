import { Code, ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { directThreadId } from "../base/thread-id.ts";
import type * as rpc from "../gen/heddle/thread/v1/thread_service_pb.js";
import type { BlockStore, Call, Channel, GroupLog, Presence } from "./ports.ts";
import { blockChanged, toThread } from "./thread-message.ts";
import type { ThreadViews } from "./thread-views.ts";
import { decodeUserPlace, userPage } from "./user-pages.ts";

export interface BlockCallsInit {
  readonly store: BlockStore;
  readonly log: Pick<GroupLog, "raiseEpoch">;
  readonly presence: Pick<Presence, "blockChanged">;
  readonly channel: Channel;
  readonly views: ThreadViews;
}

/**
 * The RPCs of blocks. A block is in force for sends and presence before it is answered (docs/design.md, sections 5 and
 * 8): stored; then the epoch of the thread's head raised, so that no send that was judged without it can be appended;
 * then confirmed by presence; then published. All of it is done again by every repeat of the call, also where the mark
 * was there already: the try before may have ended in between.
 */
export class BlockCalls {
  readonly #init: BlockCallsInit;

  constructor(init: BlockCallsInit) {
    this.#init = init;
  }

  async block({ userId: other }: rpc.BlockUserRequest, { caller }: Call) {
    return { thread: await this.#set(caller.userId, other, true) };
  }

  async unblock({ userId: other }: rpc.UnblockUserRequest, { caller }: Call) {
    return { thread: await this.#set(caller.userId, other, false) };
  }

  async list({ pageSize, pageToken }: rpc.ListBlockedUsersRequest, { caller }: Call) {
    const after = decodeUserPlace(pageToken);
    const page = await userPage<string>(
      pageSize,
      (userId) => userId,
      (limit) => this.#init.store.listBlocked(caller.userId, after, limit),
    );
    return { userIds: [...page.users], nextPageToken: page.nextPageToken };
  }

  async #set(ownerId: string, otherUserId: string, isBlocked: boolean) {
    if (ownerId === otherUserId) {
      const text = "a block needs two different users";
      throw new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.SELF_THREAD, text);
    }
    const { store, log, presence, views } = this.#init;
    const threadId = directThreadId(ownerId, otherUserId);
    await store.setBlocked(threadId, { ownerId, otherUserId }, isBlocked);
    await log.raiseEpoch(threadId);
    await presence.blockChanged(ownerId, otherUserId);
    await this.#publish(ownerId, otherUserId);
    return toThread(await views.tellAll(threadId, [ownerId]));
  }

  /**
   * Tells push servers whether either has blocked the other. Calls of both may cross, so what was told is compared with
   * what is so afterwards, and told anew until it is: the last one to publish finds what every other one has stored.
   */
  async #publish(a: string, b: string): Promise<void> {
    const { store, channel } = this.#init;
    const isBlocked = async () => (await store.blocksBetween(a, [b])).length > 0;
    let now = await isBlocked();
    for (let told: boolean | undefined; told !== now; now = await isBlocked()) {
      told = now;
      await channel.publish(blockChanged(a, b, told));
    }
  }
}
