import { threadNotFound } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import { headFor, type ListedThread, withHeads } from "./listed-threads.ts";
import type { Channel, GroupStore, Heads, ThreadRow, ThreadStore } from "./ports.ts";
import { threadChanged } from "./thread-message.ts";

export interface ThreadViewsInit {
  readonly store: Pick<ThreadStore, "get"> & Pick<GroupStore, "rowsOf">;
  readonly heads: Heads;
  readonly channel: Channel;
}

/** One thread as its owners see it: read with its head, and told to their devices. */
export class ThreadViews {
  readonly #init: ThreadViewsInit;

  constructor(init: ThreadViewsInit) {
    this.#init = init;
  }

  /** Rejects with THREAD_NOT_FOUND if the owner has no row of it. */
  async read(ownerId: string, threadId: Uint8Array): Promise<ListedThread> {
    const [row] = await this.#init.store.get(ownerId, [threadId]);
    return this.withHead(row);
  }

  /** Rejects with THREAD_NOT_FOUND without a row. */
  async withHead(row: ThreadRow | undefined): Promise<ListedThread> {
    const [listed] = row ? await withHeads(this.#init.heads, [row]) : [];
    if (!listed) throw threadNotFound();
    return listed;
  }

  /** Tells all devices of the row's owner how it is now. Rejects with HAND_OFF_FAILED. */
  async tell(listed: ListedThread): Promise<void> {
    await this.#init.channel.publish(threadChanged(listed));
  }

  /**
   * Tells all devices of these owners how their rows of the thread are now; those without a row are left out. Resolves
   * to the row of the first. Rejects with THREAD_NOT_FOUND if that is missing, or with HAND_OFF_FAILED.
   */
  async tellAll(threadId: Uint8Array, ownerIds: readonly string[]): Promise<ListedThread> {
    const rows = await this.#init.store.rowsOf(threadId, ownerIds);
    const mine = rows.find(({ ownerId }) => ownerId === ownerIds[0]);
    if (!mine) throw threadNotFound();
    const head = (await this.#init.heads.heads([mine])).get(hex(threadId)) ?? { seq: 0, ordinal: 0 };
    const listed = rows.map((row) => ({ row, head: headFor(row, head) }));
    await Promise.all(listed.map((one) => this.tell(one)));
    return { row: mine, head: headFor(mine, head) };
  }
}
