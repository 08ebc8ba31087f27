import { invalidField } from "../../internal/base/heddle-error.ts";
import { fromHex, hex, USER_ID_PATTERN, USER_ID_RULE } from "../../internal/base/ids.ts";
import { ThreadService } from "../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import type { Threads } from "../log/threads.ts";
import type { Thread, UserPage } from "../model/model.ts";
import type { Calls } from "../stream/calls.ts";
import type { WriteCalls } from "../stream/write-calls.ts";
import type { Blocks } from "./client.ts";

/** What calls about blocks go by, and where the rows that they answer with belong. */
export interface BlockCallsDeps {
  readonly calls: Calls;
  readonly writes: WriteCalls;
  readonly threads: Threads;
}

/** The users that this one has blocked: calls, whose answers have the row of the direct thread. */
export class BlockCalls implements Blocks {
  readonly #deps: BlockCallsDeps;

  constructor(deps: BlockCallsDeps) {
    this.#deps = deps;
  }

  async block(userId: string, signal?: AbortSignal): Promise<Thread> {
    const { writes, threads } = this.#deps;
    const answer = await writes.call(ThreadService.method.blockUser, this.#about(userId), signal);
    return threads.takeAnswer(answer.thread);
  }

  async unblock(userId: string, signal?: AbortSignal): Promise<Thread> {
    const { writes, threads } = this.#deps;
    const answer = await writes.call(ThreadService.method.unblockUser, this.#about(userId), signal);
    return threads.takeAnswer(answer.thread);
  }

  async list(pageToken = "", signal?: AbortSignal): Promise<UserPage> {
    const request = { pageToken: fromHex(pageToken) };
    const page = await this.#deps.calls.call(ThreadService.method.listBlockedUsers, request, signal);
    return { userIds: page.userIds, nextPageToken: hex(page.nextPageToken) || undefined };
  }

  /** WriteCalls repeats it under this one request_id. Throws INVALID_ARGUMENT. */
  #about(userId: string) {
    if (!USER_ID_PATTERN.test(userId)) throw invalidField("userId", USER_ID_RULE);
    return { userId, requestId: this.#deps.writes.newRequestId() };
  }
}
