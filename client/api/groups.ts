import { invalidField } from "../../internal/base/heddle-error.ts";
import { fromHex, hex, USER_ID_PATTERN, USER_ID_RULE } from "../../internal/base/ids.ts";
import { isShownName, SHOWN_NAME_RULE } from "../../internal/base/shown-name.ts";
import { ThreadService } from "../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import type { Threads } from "../log/threads.ts";
import type { MemberPage, Role, Thread } from "../model/model.ts";
import type { Calls } from "../stream/calls.ts";
import { isOpen, type WriteCalls } from "../stream/write-calls.ts";
import { asError, fromRole, toMember, toSpans } from "../transport/wire.ts";
import type { Groups } from "./client.ts";
import { checkThreadId } from "./thread-id.ts";

/**
 * Creations whose outcome is not known: asked for again, each finds its group instead of making another. One beyond them
 * is not remembered, and may make a second group.
 */
const MOST_OPEN = 100;

/** What calls about groups go by, and where the rows that they answer with belong. */
export interface GroupCallsDeps {
  readonly calls: Calls;
  readonly writes: WriteCalls;
  readonly threads: Threads;
}

/** What one does with groups: calls, whose answers have the row as it is then. The entries come by the stream. */
export class GroupCalls implements Groups {
  readonly #deps: GroupCallsDeps;
  /** The request_id of each creation whose outcome is not known, by what was asked for. */
  readonly #open = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(deps: GroupCallsDeps) {
    this.#deps = deps;
  }

  async create(name: string, userIds: Iterable<string>, signal?: AbortSignal): Promise<Thread> {
    const users = checkUsers(userIds);
    const wish = JSON.stringify([name, users]);
    const requestId = this.#open.get(wish) ?? this.#deps.writes.newRequestId();
    const request = { name: checkName(name), userIds: users, requestId };
    try {
      const { thread } = await this.#deps.writes.call(ThreadService.method.createGroup, request, signal);
      this.#open.delete(wish);
      return this.#deps.threads.takeAnswer(thread);
    } catch (thrown) {
      // Given up by the caller, it may have arrived all the same.
      if (!signal?.aborted && !isOpen(asError(thrown))) this.#open.delete(wish);
      else if (this.#open.size < MOST_OPEN) this.#open.set(wish, requestId);
      throw thrown;
    }
  }

  async add(threadId: string, userIds: Iterable<string>, signal?: AbortSignal): Promise<Thread> {
    const request = { ...this.#about(threadId), userIds: checkUsers(userIds) };
    return this.#deps.threads.takeAnswer(
      (await this.#deps.writes.call(ThreadService.method.addMembers, request, signal)).thread,
    );
  }

  async remove(threadId: string, userIds: Iterable<string>, signal?: AbortSignal): Promise<Thread> {
    const request = { ...this.#about(threadId), userIds: checkUsers(userIds) };
    const { thread } = await this.#deps.writes.call(ThreadService.method.removeMembers, request, signal);
    return this.#deps.threads.takeAnswer(thread);
  }

  async leave(threadId: string, signal?: AbortSignal): Promise<Thread> {
    const request = this.#about(threadId);
    return this.#deps.threads.takeAnswer(
      (await this.#deps.writes.call(ThreadService.method.leaveGroup, request, signal)).thread,
    );
  }

  async setRole(threadId: string, userId: string, role: Role, signal?: AbortSignal): Promise<Thread> {
    const request = { ...this.#about(threadId), userId, role: fromRole(role) };
    const { thread } = await this.#deps.writes.call(ThreadService.method.setMemberRole, request, signal);
    return this.#deps.threads.takeAnswer(thread);
  }

  async rename(threadId: string, name: string, signal?: AbortSignal): Promise<Thread> {
    const request = { ...this.#about(threadId), name: checkName(name) };
    return this.#deps.threads.takeAnswer(
      (await this.#deps.writes.call(ThreadService.method.renameGroup, request, signal)).thread,
    );
  }

  async members(threadId: string, pageToken = "", signal?: AbortSignal): Promise<MemberPage> {
    const request = { threadId: fromHex(checkThreadId(threadId)), pageToken: fromHex(pageToken) };
    const page = await this.#deps.calls.call(ThreadService.method.listMembers, request, signal);
    const members = page.members.map((member, at) => {
      const spans = page.spans[at]?.spans;
      return { ...toMember(member), ...(spans && { spans: toSpans(spans) }) };
    });
    return { members, nextPageToken: hex(page.nextPageToken) || undefined };
  }

  /** What every change of a group names. WriteCalls repeats it under this one request_id. Throws INVALID_ARGUMENT. */
  #about(threadId: string) {
    const requestId = this.#deps.writes.newRequestId();
    return { threadId: fromHex(checkThreadId(threadId)), requestId };
  }
}

/** Throws INVALID_ARGUMENT, by the rule that the server has: a wrong name costs no call. */
function checkName(name: string): string {
  if (!isShownName(name)) throw invalidField("name", SHOWN_NAME_RULE);
  return name;
}

/** Each user once. Throws INVALID_ARGUMENT. How many there may be the server says. */
function checkUsers(userIds: Iterable<string>): string[] {
  const users = [...new Set(userIds)];
  if (!users.every((userId) => USER_ID_PATTERN.test(userId))) {
    throw invalidField("userIds", `each ${USER_ID_RULE}`);
  }
  return users;
}
