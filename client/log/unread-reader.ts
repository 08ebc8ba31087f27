import { fromHex, hex } from "../../internal/base/ids.ts";
import { MessageService } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import type { Calls } from "../stream/calls.ts";
import { toHead } from "../transport/wire.ts";
import type { Threads } from "./threads.ts";

/** Threads of one call: what the server takes. */
const PAGE = 200;
/** Threads that are asked about, the most recent first. */
const MOST = 1_000;

/**
 * Asks how far the user has read, on all its devices, the threads that this device takes to have something unread. What
 * another device has read while this one was away need not have changed a row yet.
 */
export class UnreadReader {
  readonly #calls: Calls;
  readonly #threads: Threads;

  constructor(calls: Calls, threads: Threads) {
    this.#calls = calls;
    this.#threads = threads;
  }

  /** What fails is asked again when the next session is caught up. Never rejects. */
  async refresh(): Promise<void> {
    const unread = this.#threads.list().filter((thread) => thread.unread > 0);
    const threadIds = unread.slice(0, MOST).map((thread) => fromHex(thread.threadId));
    try {
      for (let at = 0; at < threadIds.length; at += PAGE) {
        const request = { threadIds: threadIds.slice(at, at + PAGE) };
        const { heads } = await this.#calls.call(MessageService.method.getHeads, request);
        for (const { threadId, head, readSeq, readOrdinal, unread } of heads) {
          const read = { readSeq: Number(readSeq), readOrdinal: Number(readOrdinal), unread };
          this.#threads.takeRead(hex(threadId), toHead(head), read);
        }
      }
    } catch {}
  }
}
