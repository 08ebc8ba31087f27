import { directThreadId, participants } from "../base/thread-id.ts";
import type { ReadPosition, ThreadStore } from "./ports.ts";

/** What of a thread the message service judges sends by. */
export interface ThreadView {
  readonly kind: "direct";
  /** Everyone to be touched and told, in byte order. */
  readonly members: readonly string[];
  /** Where to look for the head first. */
  readonly headBucket: number;
}

/**
 * The thread service as the message service sees it. Writes are as durable as the store's; those of one turn of the
 * event loop share a transaction there.
 */
export class Directory {
  readonly #rows: ThreadStore;

  constructor(rows: ThreadStore) {
    this.#rows = rows;
  }

  /** The thread as `userId`, who is or was a member, may see it; undefined if there is none or it is not theirs. */
  async view(threadId: Uint8Array, userId: string): Promise<ThreadView | undefined> {
    const [row] = await this.#rows.get(userId, [threadId]);
    return row && { kind: row.kind, members: row.participants, headBucket: row.headBucket };
  }

  /** Writes both rows of a direct thread where they are missing. */
  createDirect(a: string, b: string): Promise<void> {
    return this.#rows.createDirect(directThreadId(a, b), participants(a, b));
  }

  /** Touches the rows of `ownerIds`; resolves once durable. */
  touch(threadId: Uint8Array, ownerIds: readonly string[], headBucket: number): Promise<void> {
    return this.#rows.touch([{ threadId, ownerIds, headBucket }]);
  }

  /** Copies read positions into thread rows. */
  raiseRead(positions: readonly ReadPosition[]): Promise<void> {
    return this.#rows.raiseRead(positions);
  }
}
