import type { HeddleError } from "../../base/heddle-error.ts";
import { Membership } from "../group/membership.ts";
import { MemoryShare } from "../memory-use.ts";
import { AppendCache } from "./append-cache.ts";
import type { PendingSends } from "./pending-sends.ts";
import { TouchAges } from "./touch-ages.ts";

/** Somebody who waits for a raise of the epoch that begins from now on. */
export interface PendingRaise {
  readonly expiresAtMs: number;
  /** Called once, with an error if the outcome is unknown. Must not throw. */
  readonly settle: (error: HeddleError | undefined) => void;
}

/** What a log takes that remembers only who its users are, in bytes: measured, in thread-logs-memory.test.ts. */
const LOG_BYTES = 3_000;

/** What a server remembers of one thread, and what waits for its next round: each part is written by one file. */
export class ThreadLog {
  /** What is remembered of it, in bytes, but for what waits. */
  readonly memory: MemoryShare;
  readonly threadId: Uint8Array;
  /** The thread id in hex. */
  readonly key: string;
  readonly isGroup: boolean;
  /** Who is in it. */
  readonly membership: Membership;
  /** The end of its log. */
  readonly cache: AppendCache;
  /** How old its members' touches are. */
  readonly touches: TouchAges;
  /** Sends that wait for a round. The appender alone writes what follows. */
  readonly pending: PendingSends;
  /** Raises of the epoch that wait for the next round. */
  readonly raises: PendingRaise[] = [];
  /** Whether a round of this thread is under way: at most one is. */
  busy = false;

  /** `hint` is the bucket in which to look for the head first. */
  constructor(threadId: Uint8Array, pending: PendingSends, memory = new MemoryShare(), hint = 0) {
    this.memory = memory;
    memory.addBytes(LOG_BYTES);
    this.touches = new TouchAges(memory);
    this.membership = new Membership(threadId, memory, (members) => this.touches.keepMembers(members));
    this.threadId = this.membership.threadId;
    this.key = this.membership.key;
    this.isGroup = this.membership.isGroup;
    this.pending = pending;
    this.cache = new AppendCache(hint, memory);
  }
}
