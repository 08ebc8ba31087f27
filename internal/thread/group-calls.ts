import type { GroupChange, ListedMember } from "../base/group.ts";
import { invalidField, notAGroup, threadNotFound } from "../base/heddle-error.ts";
import { isShownName, SHOWN_NAME_RULE } from "../base/shown-name.ts";
import { groupThreadId, isGroupThread } from "../base/thread-id.ts";
import type * as rpc from "../gen/heddle/thread/v1/thread_service_pb.js";
import type { Call, GroupLog, GroupStore, Presence, ThreadStore } from "./ports.ts";
import { fromWireRole, toThread, toWireRole, toWireSpans } from "./thread-message.ts";
import type { ThreadViews } from "./thread-views.ts";
import { decodeUserPlace, userPage } from "./user-pages.ts";

export interface GroupCallsInit {
  readonly store: ThreadStore & GroupStore;
  readonly log: GroupLog;
  readonly presence: Presence;
  readonly views: ThreadViews;
}

/** One call that changes a group. */
interface ChangeRequest {
  readonly userId: string;
  readonly threadId: Uint8Array;
  readonly requestId: Uint8Array;
  readonly change: GroupChange;
}

/**
 * The RPCs of groups. The message service judges a change at a head and makes it an entry; what is told of it here, to
 * presence and to the devices of those whose rows change, is told again with every repeat of the call, since the try
 * before may have ended in between.
 */
export class GroupCalls {
  readonly #init: GroupCallsInit;

  constructor(init: GroupCallsInit) {
    this.#init = init;
  }

  /** The same request_id makes the same group. */
  async create(request: rpc.CreateGroupRequest, { caller: { userId } }: Call) {
    const { name, requestId } = request;
    checkName(name);
    const threadId = groupThreadId(userId, requestId);
    const userIds = [...new Set(request.userIds)].filter((other) => other !== userId);
    const change = { kind: "create", name, userIds } as const;
    const { thread } = await this.#change({ userId, threadId, requestId, change }, userIds);
    return { thread };
  }

  async addMembers({ threadId, requestId, ...request }: rpc.AddMembersRequest, { caller: { userId } }: Call) {
    await this.#refuseDirect(threadId, userId);
    const userIds = [...new Set(request.userIds)];
    const change = { kind: "add", userIds } as const;
    return this.#change({ userId, threadId, requestId, change }, userIds);
  }

  async removeMembers(request: rpc.RemoveMembersRequest, { caller: { userId } }: Call) {
    const { threadId, requestId } = request;
    await this.#refuseDirect(threadId, userId);
    const userIds = [...new Set(request.userIds)];
    if (userIds.includes(userId))
      throw invalidField("user_ids", "not the caller's own: LeaveGroup does that");
    return this.#change({ userId, threadId, requestId, change: { kind: "remove", userIds } }, userIds);
  }

  async leave({ threadId, requestId }: rpc.LeaveGroupRequest, { caller: { userId } }: Call) {
    await this.#refuseDirect(threadId, userId);
    return this.#change({ userId, threadId, requestId, change: { kind: "leave" } }, [userId]);
  }

  async setRole(request: rpc.SetMemberRoleRequest, { caller: { userId } }: Call) {
    const { threadId, requestId } = request;
    await this.#refuseDirect(threadId, userId);
    const change = { kind: "role", userId: request.userId, role: fromWireRole(request.role) } as const;
    return this.#change({ userId, threadId, requestId, change }, [], [request.userId]);
  }

  async rename({ threadId, requestId, name }: rpc.RenameGroupRequest, { caller: { userId } }: Call) {
    checkName(name);
    await this.#refuseDirect(threadId, userId);
    return this.#change({ userId, threadId, requestId, change: { kind: "rename", name } }, []);
  }

  /** Page by page: members who come or go in between may be in it or not. */
  async listMembers({ threadId, pageSize, pageToken }: rpc.ListMembersRequest, { caller: { userId } }: Call) {
    const after = decodeUserPlace(pageToken);
    await this.#refuseDirect(threadId, userId);
    const page = await userPage<ListedMember>(
      pageSize,
      (member) => member.userId,
      async (limit) => {
        const members = await this.#init.store.memberPage(threadId, userId, after, limit);
        if (!members) throw threadNotFound();
        return members;
      },
    );
    const members = page.users.map((member) => ({ userId: member.userId, role: toWireRole(member.role) }));
    const spans = page.users.map((member) => ({ spans: toWireSpans(member.earlier, member.joinedSeq) }));
    return { members, spans, nextPageToken: page.nextPageToken };
  }

  /** `moved` come or go by it; `others` have another row by it. */
  async #change(request: ChangeRequest, moved: readonly string[], others: readonly string[] = []) {
    const { log, presence, views } = this.#init;
    const { seq, removed } = await log.change(request);
    const changed = new Set([...moved, ...removed]);
    if (changed.size > 0) await presence.membersChanged([...changed]);
    const owners = new Set([request.userId, ...changed, ...others]);
    const listed = await views.tellAll(request.threadId, [...owners]);
    return { thread: toThread(listed), seq: BigInt(seq) };
  }

  async #refuseDirect(threadId: Uint8Array, userId: string): Promise<void> {
    if (isGroupThread(threadId)) return;
    const [row] = await this.#init.store.get(userId, [threadId]);
    if (!row) throw threadNotFound();
    throw notAGroup();
  }
}

/** Throws INVALID_FIELD. */
function checkName(name: string): void {
  if (!isShownName(name)) throw invalidField("name", SHOWN_NAME_RULE);
}
