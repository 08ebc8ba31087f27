import { type GroupChange, type Member, SMALL_GROUP_MEMBERS } from "../../../base/group.ts";
import { type ErrorReason, HeddleError, threadNotFound } from "../../../base/heddle-error.ts";
import { hex } from "../../../base/ids.ts";
import type { Publication } from "../../../base/publication.ts";
import type { ThreadService as ThreadDesc } from "../../../gen/heddle/thread/v1/thread_service_pb.js";
import type { Logs } from "../../../peers/log-server.ts";
import type { Messages, Threads } from "../../../push/ports.ts";
import type { Handlers } from "../../../rpc/calls/handlers.ts";
import { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import { Directory } from "../../../thread/directory.ts";
import type { Channel, EntryTimes, GroupLog, Heads, Presence } from "../../../thread/ports.ts";
import { type ThreadPorts, ThreadService } from "../../../thread/service.ts";
import type { Bound } from "../streams/bound.ts";
import { FakeClock } from "../time/fake-clock.ts";

type Change = Parameters<GroupLog["change"]>[0];

/**
 * The thread service over a real store, with the message, presence and channel services in the test's hand: a log that
 * makes entries of changes without judging roles, and notes of what was done in which order.
 */
export class ThreadCalls implements GroupLog, Heads, EntryTimes, Presence, Channel {
  readonly clock = new FakeClock();
  readonly store = new SqliteThreadStore({ path: ":memory:", clock: this.clock });
  readonly directory = new Directory(this.store);
  /** What was done, in words. */
  readonly steps: string[] = [];
  /** What the channel service was given, in order. */
  readonly published: Publication[] = [];
  /** Called before each publication goes out. */
  beforePublish: (publication: Publication) => Promise<void> = async () => {};
  /** The seq of the last entry, by thread in hex. */
  readonly #heads = new Map<string, number>();
  /** When the last entry of a thread was made. */
  readonly #posted = new Map<string, number>();
  #service = this.#over({ heads: this, log: this, presence: this });
  /** The service, as push servers have it. */
  forPush: Threads = this.#service;

  /** The RPCs, as the listener calls them. */
  get handlers(): Handlers<typeof ThreadDesc> {
    return this.#service.handlers;
  }

  /** Binds what the service asks for, and what is asked of it, another way. */
  async bind(bound: Bound): Promise<void> {
    const log = await bound.message(this.#asMessageService());
    this.#service = this.#over({ heads: log, log, presence: await bound.presence(this) });
    this.forPush = await bound.thread(this.#service);
  }

  #over(ports: Pick<ThreadPorts, "heads" | "log" | "presence">): ThreadService {
    return new ThreadService({ ...ports, store: this.store, channel: this, clock: this.clock });
  }

  /** Of the message service what it asks for; nothing is told of what is unread. */
  #asMessageService(): Messages & Logs {
    const elsewhere = () => Promise.reject(new Error("not asked by a thread server"));
    return {
      send: () => {},
      raiseReceipt: elsewhere,
      flushReceipts: elsewhere,
      typing: elsewhere,
      membership: elsewhere,
      writers: elsewhere,
      heads: (threads) => this.heads(threads),
      unread: async () => new Map(),
      entryTimes: (entries) => this.entryTimes(entries),
      change: (asked) => this.change(asked),
      raiseEpoch: (threadId) => this.raiseEpoch(threadId),
    };
  }

  /** A later entry in a thread. */
  post(threadId: Uint8Array): number {
    const seq = (this.#heads.get(hex(threadId)) ?? 0) + 1;
    this.#heads.set(hex(threadId), seq);
    this.#posted.set(hex(threadId), this.clock.nowMs());
    return seq;
  }

  async heads(threads: readonly { readonly threadId: Uint8Array }[]) {
    const head = (key: string) => ({ seq: this.#heads.get(key) ?? 0, ordinal: this.#heads.get(key) ?? 0 });
    return new Map(threads.map(({ threadId }) => [hex(threadId), head(hex(threadId))]));
  }

  async entryTimes(entries: readonly { readonly threadId: Uint8Array }[]) {
    return new Map(entries.map(({ threadId }) => [hex(threadId), this.#posted.get(hex(threadId)) ?? 0]));
  }

  /** An entry for what the change comes to, projected at once; seq 0 where that is nothing. Roles are not judged. */
  async change({ threadId, userId, requestId, change }: Change) {
    this.steps.push(`change ${change.kind}`);
    const found = await this.store.changeSeq(threadId, userId, requestId);
    if (found !== undefined) return { seq: found, removed: [] };
    const roster = await this.store.roster(threadId);
    if (change.kind !== "create" && !roster?.members.has(userId)) throw threadNotFound();
    const members = new Set(roster?.members.keys());
    const { name, added = [], removed = [], changed = [] } = changesOf(change, userId, members);
    if (added.length + removed.length + changed.length === 0 && name === undefined)
      return { seq: 0, removed: [] };
    const seq = this.post(threadId);
    const memberCount = members.size + added.length - removed.length;
    const entry = {
      ...{
        threadId,
        seq,
        ordinal: seq,
        sender: userId,
        requestId,
        name,
        added,
        removed,
        changed,
        memberCount,
      },
      previousSeq: roster?.appliedSeq ?? 0,
      createdAtMs: this.clock.nowMs(),
      isLarge: roster?.isLarge === true || memberCount > SMALL_GROUP_MEMBERS,
    };
    await this.store.project(entry, 0);
    return { seq, removed };
  }

  /** Notes whether ann's row had the block already: the store must have it before senders are told. */
  async raiseEpoch(threadId: Uint8Array) {
    const [row] = await this.store.get("ann", [threadId]);
    this.steps.push(`epoch raised, ${row?.isBlocked ? "block" : "no block"} stored`);
  }

  async blockChanged(a: string, b: string) {
    this.steps.push(`presence of ${a} and ${b}`);
  }

  async membersChanged(userIds: readonly string[]) {
    this.steps.push(`presence of ${[...userIds].sort().join(", ")}`);
  }

  async publish(publication: Publication) {
    await this.beforePublish(publication);
    this.published.push(publication);
    this.steps.push(`${publication.kind} to ${publication.topics.join(", ")}`);
    return { subscribed: publication.topics.map(() => true), revision: 0, incomplete: false };
  }
}

/** What of a group an entry changes. */
interface Changes {
  readonly name?: string;
  readonly added?: readonly Member[];
  readonly removed?: readonly string[];
  readonly changed?: readonly Member[];
}

function changesOf(change: GroupChange, userId: string, members: ReadonlySet<string>): Changes {
  const plain = (id: string): Member => ({ userId: id, role: "member" });
  switch (change.kind) {
    case "create":
      return { name: change.name, added: [{ userId, role: "owner" }, ...change.userIds.map(plain)] };
    case "add":
      return { added: change.userIds.filter((id) => !members.has(id)).map(plain) };
    case "remove":
      return { removed: change.userIds.filter((id) => members.has(id)) };
    case "leave":
      return { removed: [userId] };
    case "role":
      return { changed: [{ userId: change.userId, role: change.role }] };
    case "rename":
      return { name: change.name };
  }
}

/** A call of a user's, as the rpc layer makes it. */
export function callOf(userId: string) {
  const caller = { userId, expiresAtMs: 0, userTokenExpiresAtMs: 0 };
  return { caller, requestId: "", signal: new AbortController().signal };
}

/** Whether an error is ours, with this reason and at least this metadata. */
export function because(reason: ErrorReason, metadata: Readonly<Record<string, string>> = {}) {
  return (error: unknown) =>
    error instanceof HeddleError &&
    error.reason === reason &&
    Object.entries(metadata).every(([key, value]) => error.metadata[key] === value);
}
