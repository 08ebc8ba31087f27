import { threadNotFound } from "../../base/heddle-error.ts";
import { hex } from "../../base/ids.ts";
import { directThreadId, participants } from "../../base/thread-id.ts";
import type { RosterCount } from "../group/membership.ts";
import type { Threads, ThreadView } from "../ports.ts";
import { PendingSends } from "./pending-sends.ts";
import { ThreadLog } from "./thread-log.ts";

/** Threads whose logs are remembered; beyond it the longest unused ones that are idle are forgotten. */
const MAX_LOGS = 100_000;
/** Members in the rosters of all remembered logs; beyond it the same. */
const MAX_ROSTERED = 2_000_000;

/** The logs that this server remembers, and the door to them: only who is or was a member comes in. */
export class ThreadLogs {
  readonly #threads: Threads;
  readonly #logs = new Map<string, ThreadLog>();
  readonly #max: number;
  readonly #maxRostered: number;
  readonly #queue: () => PendingSends;
  readonly #rosters: RosterCount = { members: 0 };

  /**
   * `max` is how many logs are remembered, 100,000 but in tests, and `maxRostered` how many members their rosters may
   * have, 2,000,000 but in tests. `queue` makes what holds a thread's waiting sends.
   */
  constructor(
    threads: Threads,
    max = MAX_LOGS,
    queue = () => new PendingSends(),
    maxRostered = MAX_ROSTERED,
  ) {
    this.#threads = threads;
    this.#max = max;
    this.#maxRostered = maxRostered;
    this.#queue = queue;
  }

  get size(): number {
    return this.#logs.size;
  }

  /** The log if it is remembered and the user may come in; else it must be opened. */
  cached(key: string, userId: string): ThreadLog | undefined {
    const log = this.#logs.get(key);
    if (!log?.membership.lets(userId)) return undefined;
    // While half the room is free nobody will be forgotten soon, and order may wait.
    if (2 * this.#logs.size > this.#max || 2 * this.#rosters.members > this.#maxRostered) {
      this.#logs.delete(key);
      this.#logs.set(key, log);
    }
    return log;
  }

  /** The log, or undefined if there is no such thread or the user never was a member. */
  async find(threadId: Uint8Array, userId: string): Promise<ThreadLog | undefined> {
    const key = hex(threadId);
    const cached = this.cached(key, userId);
    if (cached) return cached;
    const view = await this.#threads.view(threadId, userId);
    return view && this.#remember(threadId, userId, view);
  }

  /** The same, but rejects with THREAD_NOT_FOUND. */
  async open(threadId: Uint8Array, userId: string): Promise<ThreadLog> {
    const log = await this.find(threadId, userId);
    if (!log) throw threadNotFound();
    return log;
  }

  /** The log of the direct thread of two users, whose rows are made if they are not there. */
  async openDirect(userId: string, toUserId: string): Promise<ThreadLog> {
    const threadId = directThreadId(userId, toUserId);
    const log = await this.find(threadId, userId);
    if (log) return log;
    await this.#threads.createDirect(userId, toUserId);
    const view = { participants: participants(userId, toUserId), headBucket: 0 };
    return this.#remember(threadId, userId, view);
  }

  /** The log of any thread, with nobody let in: for what services ask of one another. */
  bare(threadId: Uint8Array, headBucket = 0): ThreadLog {
    const key = hex(threadId);
    let log = this.#logs.get(key);
    if (!log) {
      log = new ThreadLog(threadId, this.#queue(), this.#rosters, headBucket);
      this.#logs.set(key, log);
      this.#forgetBeyond(log);
    }
    return log;
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

  #forgetBeyond(newest: ThreadLog): void {
    for (const [key, log] of this.#logs) {
      if (this.#logs.size <= this.#max && this.#rosters.members <= this.#maxRostered) return;
      if (log === newest || log.busy || log.touches.isRenewing) continue;
      this.#logs.delete(key);
      log.membership.forgotten();
    }
  }
}
