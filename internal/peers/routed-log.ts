import { hex } from "../base/ids.ts";
import { groupThreadId } from "../base/thread-id.ts";
import type { EntryTimes, FoundWriters, GroupLog, Heads, Unread, Writers } from "../thread/ports.ts";
import { MessageRoutes, type RoutesInit } from "./message-routes.ts";

/** One message server, as thread servers ask it. */
export type Log = Required<Heads> & EntryTimes & GroupLog & Writers;

const threadOf = ({ threadId }: { readonly threadId: Uint8Array }) => hex(threadId);

/**
 * The message servers as one, as a thread server needs them. All of it may be asked again of another one: reads change
 * nothing, a change is found by its request_id, and an epoch that is raised twice is raised.
 */
export class RoutedLog implements Log {
  readonly #routes: MessageRoutes<Log>;

  constructor(init: RoutesInit<Log>) {
    this.#routes = new MessageRoutes(init);
  }

  heads(threads: Parameters<Log["heads"]>[0]): ReturnType<Log["heads"]> {
    return this.#routes.askParts(threads, threadOf, (server, part) => server.heads(part));
  }

  unread(...[ownerId, threads]: Parameters<Log["unread"]>): Promise<ReadonlyMap<string, Unread>> {
    return this.#routes.askParts(threads, threadOf, (server, part) => server.unread(ownerId, part));
  }

  entryTimes(entries: Parameters<Log["entryTimes"]>[0]): ReturnType<Log["entryTimes"]> {
    return this.#routes.askParts(entries, threadOf, (server, part) => server.entryTimes(part));
  }

  change(request: Parameters<Log["change"]>[0]): ReturnType<Log["change"]> {
    const { change, userId, requestId, threadId } = request;
    // A group that is about to be has no id yet for the caller; it follows from who asks and the request_id.
    const thread = change.kind === "create" ? groupThreadId(userId, requestId) : threadId;
    return this.#routes.ask(hex(thread), (server) => server.change(request));
  }

  raiseEpoch(threadId: Uint8Array): Promise<void> {
    return this.#routes.ask(hex(threadId), (server) => server.raiseEpoch(threadId));
  }

  writers(threadId: Uint8Array): Promise<FoundWriters> {
    return this.#routes.ask(hex(threadId), (server) => server.writers(threadId));
  }
}
