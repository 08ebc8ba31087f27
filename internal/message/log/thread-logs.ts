import { threadNotFound } from "../../base/heddle-error.ts";
import { equalBytes, hex } from "../../base/ids.ts";
import { directThreadId, participants } from "../../base/thread-id.ts";
import { MemoryUse } from "../memory-use.ts";
import type { Threads, ThreadView } from "../ports.ts";
import { PendingSends } from "./pending-sends.ts";
import { ThreadLog } from "./thread-log.ts";

/** What all remembered logs may take, in bytes; beyond it the longest unused ones that are idle are forgotten. */
const MAX_BYTES = 256 << 20;

/** Logs that are found by their bytes. */
const PLACES = 1 << 12;

/** The logs that this server remembers, and the door to them: only who is or was a member comes in. */
export class ThreadLogs {
  readonly #threads: Threads;
  readonly #logs = new Map<string, ThreadLog>();
  readonly #memory = new MemoryUse();
  readonly #maxBytes: number;
  readonly #queue: () => PendingSends;
  /** Of the logs in #logs, those used last, by placeOf: most sends find theirs without a key being made. */
  readonly #recent: (ThreadLog | undefined)[] = new Array(PLACES).fill(undefined);

  /** `maxBytes` is what all logs may take, 256 MiB but in tests. `queue` makes what holds a thread's waiting sends. */
  constructor(threads: Threads, maxBytes = MAX_BYTES, queue = () => new PendingSends()) {
    this.#threads = threads;
    this.#maxBytes = maxBytes;
    this.#queue = queue;
  }

  get size(): number {
    return this.#logs.size;
  }

  /** What all logs take, in bytes. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** The log if it is remembered and the user may come in; else it must be opened. */
  known(threadId: Uint8Array, userId: string): ThreadLog | undefined {
    const log = this.#found(threadId);
    if (!log?.membership.lets(userId)) return undefined;
    this.#used(log);
    return log;
  }

  /** The log, or undefined if there is no such thread or the user never was a member. */
  async findLog(threadId: Uint8Array, userId: string): Promise<ThreadLog | undefined> {
    const known = this.known(threadId, userId);
    if (known) return known;
    const view = await this.#threads.view(threadId, userId);
    return view && this.#remember(threadId, userId, view);
  }

  /** The same, but rejects with THREAD_NOT_FOUND. */
  async open(threadId: Uint8Array, userId: string): Promise<ThreadLog> {
    const log = await this.findLog(threadId, userId);
    if (!log) throw threadNotFound();
    return log;
  }

  /** The log of the direct thread of two users, whose rows are made if they are not there. */
  async openDirect(userId: string, toUserId: string): Promise<ThreadLog> {
    const threadId = directThreadId(userId, toUserId);
    const log = await this.findLog(threadId, userId);
    if (log) return log;
    await this.#threads.createDirect(userId, toUserId);
    const view = { participants: participants(userId, toUserId), headBucket: 0 };
    return this.#remember(threadId, userId, view);
  }

  /** The log of any thread, with nobody let in: for what services ask of one another. */
  bare(threadId: Uint8Array, headBucket = 0): ThreadLog {
    const key = hex(threadId);
    const log =
      this.#logs.get(key) ?? new ThreadLog(threadId, this.#queue(), this.#memory.share(), headBucket);
    this.#logs.set(key, log);
    this.#used(log);
    return log;
  }

  /** Forgets threads (in hex) that another server serves now. Of one in use the appender forgets its log's end. */
  forgetLost(owns: (thread: string) => boolean): void {
    for (const [key, log] of this.#logs) {
      if (owns(key)) continue;
      if (!log.busy) log.cache.forget();
      if (isIdle(log)) this.#forget(log);
    }
  }

  #remember(
    threadId: Uint8Array,
    userId: string,
    view: Pick<ThreadView, "participants" | "headBucket">,
  ): ThreadLog {
    const log = this.bare(threadId, view.headBucket);
    log.membership.admit(userId, view.participants);
    return log;
  }

  #found(threadId: Uint8Array): ThreadLog | undefined {
    const place = placeOf(threadId);
    const recent = this.#recent[place];
    if (recent && equalBytes(recent.threadId, threadId)) return recent;
    const log = this.#logs.get(hex(threadId));
    if (log) this.#recent[place] = log;
    return log;
  }

  #used(log: ThreadLog): void {
    // While half the room is free nobody will be forgotten soon, and order may wait.
    if (2 * this.#memory.bytes <= this.#maxBytes) return;
    this.#logs.delete(log.key);
    this.#logs.set(log.key, log);
    this.#forgetBeyond(log);
  }

  #forgetBeyond(newest: ThreadLog): void {
    for (const log of this.#logs.values()) {
      if (this.#memory.bytes <= this.#maxBytes) return;
      if (log !== newest && isIdle(log)) this.#forget(log);
    }
  }

  #forget(log: ThreadLog): void {
    this.#logs.delete(log.key);
    const place = placeOf(log.threadId);
    if (this.#recent[place] === log) this.#recent[place] = undefined;
    log.memory.releaseBytes();
  }
}

/** A number below PLACES: of the first bytes of an id, which is a hash. */
function placeOf(threadId: Uint8Array): number {
  return (((threadId[0] ?? 0) << 8) | (threadId[1] ?? 0)) % PLACES;
}

function isIdle({ busy, pending, touches }: ThreadLog): boolean {
  return !busy && pending.bytes === 0 && !touches.isRenewing;
}
