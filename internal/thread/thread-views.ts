import { threadNotFound } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import { type ListedThread, withHead, withHeads } from "./listed-threads.ts";
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
  async readView(ownerId: string, threadId: Uint8Array): Promise<ListedThread> {
    const { heads, store } = this.#init;
    const [listed] = await withHeads(heads, await store.get(ownerId, [threadId]), store);
    if (!listed) throw threadNotFound();
    return listed;
  }

  /**
   * Tells all devices of these owners how their rows of the thread are now; those without a row are left out. Calls may
   * cross, so a row that has another version once it was told is told again: the last one to tell tells what is so.
   * Resolves to the thread of the first. Rejects with THREAD_NOT_FOUND if that has no row, or with HAND_OFF_FAILED.
   */
  async tellAll(threadId: Uint8Array, ownerIds: readonly string[]): Promise<ListedThread> {
    const { store, heads } = this.#init;
    const told = new Map<string, ListedThread>();
    const isTold = ({ ownerId, version }: ThreadRow) => told.get(ownerId)?.row.version === version;
    for (let rows = await store.rowsOf(threadId, ownerIds); rows.length > 0; ) {
      const head = (await heads.heads(rows.slice(0, 1))).get(hex(threadId));
      // One who has left meanwhile is told the head of its leaving entry at most.
      const now = new Map((await store.rowsOf(threadId, ownerIds)).map((row) => [row.ownerId, row]));
      const listed = rows.map((row) => withHead(row, now.get(row.ownerId) ?? row, head));
      await Promise.all(listed.map((one) => this.#init.channel.publish(threadChanged(one))));
      for (const one of listed) told.set(one.row.ownerId, one);
      rows = (await store.rowsOf(threadId, ownerIds)).filter((row) => !isTold(row));
    }
    const first = told.get(ownerIds[0] ?? "");
    if (!first) throw threadNotFound();
    return first;
  }
}
