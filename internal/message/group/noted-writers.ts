import { MAX_MEMBERS } from "../../base/group.ts";
import { MemoryShare } from "../memory-use.ts";

/** What a writer takes, in bytes: measured, in ../log/thread-logs-memory.test.ts. */
const WRITER_BYTES = 70;

/**
 * The users that the store has noted to have written in a thread. A note of a group is of the member that one was then:
 * it counts while one is a member since the same entry.
 */
export class NotedWriters {
  /** By user, since which entry the user was a member then; 0 in a direct thread. Made when needed. */
  #since: Map<string, number> | undefined;
  readonly #memberSince: (userId: string) => number | undefined;

  readonly #memory: MemoryShare;

  /** `memberSince` says since which entry a user is a member; 0 in a direct thread, undefined for no member. */
  constructor(memberSince: (userId: string) => number | undefined, memory = new MemoryShare()) {
    this.#memberSince = memberSince;
    this.#memory = memory;
  }

  /** Whether it is known that the store has noted the user, as the member that it is now. */
  has(userId: string): boolean {
    const since = this.#since?.get(userId);
    return since !== undefined && since === this.#memberSince(userId);
  }

  /** Takes that it has, of one who was a member since `since` before the store was asked. */
  addWriter(userId: string, since: number): void {
    const before = this.#since?.size ?? 0;
    if (this.#since === undefined || before >= MAX_MEMBERS) this.#since = new Map();
    this.#since.set(userId, since);
    this.#memory.addBytes(WRITER_BYTES * (this.#since.size - before));
  }
}
