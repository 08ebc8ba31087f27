import { decodeHead, encodeHead } from "../../../base/head.ts";
import { type PendingSend, PendingSends } from "../../../message/log/pending-sends.ts";
import type { BlockVariant } from "./block-world.ts";
import type { GroupVariant } from "./group-world.ts";

/**
 * Blocks of a direct thread's users with one mechanism of docs/design.md, section 5, missing, as broken-appends.ts has
 * them for appends: each breaks a promise, and a test must see it do so.
 */
export const brokenBlocks: Readonly<Record<string, BlockVariant>> = {
  /**
   * The raise goes to the full row before the newest one: a server that appends to the newest never compares with it.
   */
  "epoch raised in the full row": (parts) => {
    const { store } = parts;
    const put: typeof store.checkAndPut = async (row, expected, head, entries) => {
      const { epoch } = decodeHead(head);
      const isRaise = entries.length === 0 && expected === undefined && row.bucket > 0;
      if (!isRaise) return store.checkAndPut(row, expected, head, entries);
      const full = { ...row, bucket: row.bucket - 1 };
      const stored = (await store.get(full, { head: true })).head;
      if (!stored) return false;
      return store.checkAndPut(full, stored, encodeHead({ ...decodeHead(stored), epoch }), []);
    };
    return { ...parts, store: { checkAndPut: put, put: store.put, get: store.get } };
  },

  /** The blocks are those of a moment before the head was read, so a block in between is not seen. */
  "blocks loaded before the head": (parts) => {
    const { store, blocks } = parts;
    let early: readonly string[] | undefined;
    return {
      ...parts,
      store: {
        checkAndPut: store.checkAndPut,
        put: store.put,
        async get(row, query) {
          if (query.head) early = await blocks.between("ann", "bob").catch(() => early);
          return store.get(row, query);
        },
      },
      blocks: { ...blocks, between: async (a, b) => early ?? blocks.between(a, b) },
    };
  },
};

/** The same for groups. */
export const brokenGroups: Readonly<Record<string, GroupVariant>> = {
  /** Sends behind a change in the same batch are judged by the members before it. */
  "a member change inside a batch": (parts) => ({ ...parts, queue: () => new UncutSends() }),

  /** A seal is only answered: the sealed send may still be appended later. */
  "a seal without an entry": (parts) => ({ ...parts, queue: () => new UnwrittenVoids() }),

  /** Rows of users who come are not touched: their devices learn of the group by chance. */
  "a newcomer not touched": (parts, world) => ({
    ...parts,
    groups: {
      ...parts.groups,
      project(entry, headBucket) {
        const touched = entry.previousSeq === 0 ? undefined : entry.removed;
        return world.project(entry, headBucket, touched);
      },
    },
  }),
};

/** Answers a seal and appends nothing. */
class UnwrittenVoids extends PendingSends {
  override pushSend(send: PendingSend): void {
    if (send.kind !== "void") super.pushSend(send);
    else send.settle({ ...NOWHERE, isVoid: true });
  }
}

/** What a seal is answered with that wrote nothing. */
const NOWHERE = {
  threadId: new Uint8Array(16),
  seq: 1,
  createdAtMs: 0,
  ordinal: 0,
  cell: new Uint8Array(0),
  duplicate: false,
  online: [],
};

/** Never cuts a batch before or after a member change. */
class UncutSends extends PendingSends {
  protected override endsBatch(): boolean {
    return false;
  }
}
