import { hex } from "../../../base/ids.ts";
import { rendezvousOwner } from "../../../base/rendezvous.ts";
import type { Send, Settle } from "../../../base/send.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { LogClient } from "../../../peers/log-client.ts";
import { MessageClient } from "../../../peers/message-client.ts";
import type { Messages } from "../../../push/ports.ts";
import { peerUnavailable } from "../../../rpc/links/peer-errors.ts";
import type { EntryTimes, GroupLog, Heads } from "../../../thread/ports.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** Where what concerns a thread is asked: its rendezvous winner among the message servers; undefined: none is known. */
function addressOfThread(process: MeshProcess, threadId: Uint8Array | undefined): string | undefined {
  const members = process
    .mirror("message")
    .view()
    .members.filter(({ state }) => state === "serving");
  return rendezvousOwner(members, threadId ? hex(threadId) : String(process.random.fraction()))?.address;
}

/** The message servers as one, for thread servers. Until routing is bound. */
export class RoutedLog implements Heads, EntryTimes, GroupLog {
  readonly #process: MeshProcess;

  constructor(process: MeshProcess) {
    this.#process = process;
    process.mirror("message");
  }

  async heads(...asked: Parameters<Heads["heads"]>) {
    return this.#any.heads(...asked);
  }

  async unread(...asked: Parameters<LogClient["unread"]>) {
    return this.#any.unread(...asked);
  }

  async entryTimes(...asked: Parameters<EntryTimes["entryTimes"]>) {
    return this.#any.entryTimes(...asked);
  }

  async change(request: Parameters<GroupLog["change"]>[0]) {
    return this.#of(request.threadId).change(request);
  }

  async raiseEpoch(threadId: Uint8Array) {
    await this.#of(threadId).raiseEpoch(threadId);
  }

  get #any(): LogClient {
    return this.#of(undefined);
  }

  #of(threadId: Uint8Array | undefined): LogClient {
    const address = addressOfThread(this.#process, threadId);
    if (address === undefined) throw peerUnavailable("message");
    return new LogClient(this.#process.keptLink({ address }, "message"));
  }
}

/** The message servers as one: what concerns a thread goes to one of them. Until routing is bound. */
export class RoutedMessages implements Messages {
  readonly #process: MeshProcess;
  readonly #clients = new Map<string, MessageClient>();

  constructor(process: MeshProcess) {
    this.#process = process;
    process.mirror("message");
  }

  send(send: Send, settle: Settle): void {
    const client = this.#clientOf(send.threadId ?? directThreadId(send.userId, send.toUserId));
    if (client) client.send(send, settle);
    else settle(peerUnavailable("message"));
  }

  async raiseReceipt(receipt: Parameters<Messages["raiseReceipt"]>[0]): Promise<void> {
    await this.#known(receipt.threadId).raiseReceipt(receipt);
  }

  async flushReceipts(userId: string): Promise<void> {
    await Promise.all(Array.from(this.#clients.values(), (client) => client.flushReceipts(userId)));
  }

  async typing(typing: Parameters<Messages["typing"]>[0]): Promise<void> {
    await this.#known(typing.threadId).typing(typing);
  }

  async membership(...asked: Parameters<Messages["membership"]>) {
    return this.#known(asked[0]).membership(...asked);
  }

  #known(threadId: Uint8Array): MessageClient {
    const client = this.#clientOf(threadId);
    if (!client) throw peerUnavailable("message");
    return client;
  }

  #clientOf(threadId: Uint8Array): MessageClient | undefined {
    const address = addressOfThread(this.#process, threadId);
    if (address === undefined) return undefined;
    const client =
      this.#clients.get(address) ?? new MessageClient(this.#process.keptLink({ address }, "message"));
    this.#clients.set(address, client);
    return client;
  }
}
