import { decodeHead, encodeHead } from "../../base/head.ts";
import { hex } from "../../base/ids.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { decodeCell } from "../../message/cells/entry-cell.ts";
import { sendTag, tagKey } from "../../message/cells/send-tag.ts";
import { type Hit, StoreSearch } from "../../message/log/duplicate-search.ts";
import { findHead } from "../../message/log/head-finder.ts";
import { type PendingSend, PendingSends } from "../../message/log/pending-sends.ts";
import { encodeCell } from "../../wire/entry-bytes.ts";
import { logStoreOf } from "../fakes/message/message-samples.ts";
import type { Variant } from "./append-world.ts";
import type { BlockVariant } from "./block-world.ts";
import type { GroupVariant } from "./group-world.ts";

/**
 * Appends with one mechanism of docs/design.md, section 5, missing. Each breaks a promise, and the property test must
 * see it do so: they show that the test can fail.
 */
export const brokenAppends: Readonly<Record<string, Variant>> = {
  "no compare": (parts) => {
    const { store } = parts;
    const put: typeof store.checkAndPut = async (row, _expected, head, entries) => {
      const stored = (await store.get(row, { head: true })).head;
      return store.checkAndPut(row, stored, head, entries);
    };
    return { ...parts, store: { checkAndPut: put, put: store.put, get: store.get } };
  },

  "duplicate search when queued": (parts) => {
    const logs = logStoreOf(parts.store, parts.bucketSize);
    const inner = new StoreSearch(logs);
    const found = new Map<string, Hit | undefined>();
    return {
      ...parts,
      async admit(send) {
        const threadId = directThreadId(send.userId, send.toUserId);
        const identity = { ...send, tagKey: tagKey(sendTag(send.userId, send.clientId)) };
        try {
          const { head } = await findHead(logs, threadId, 0);
          found.set(hex(send.clientId), await inner.range(threadId, identity, send.baseSeq + 1, head.seq));
        } catch {
          found.set(hex(send.clientId), undefined);
        }
        return send;
      },
      search: { find: (_log, send) => found.get(hex(send.clientId)) },
    };
  },

  "base_seq recomputed": (parts, world) => ({
    ...parts,
    async admit(send) {
      if (send.attempt === 1) return send;
      await world.pull(send.userId);
      return { ...send, baseSeq: world.held.get(send.userId) ?? 0 };
    },
  }),

  "answer from the retry's bytes": (parts) => ({
    ...parts,
    search: {
      async find(log, send) {
        const hit = await parts.search.find(log, send);
        if (!hit || decodeCell(hit.cell).body?.kind.case !== "text") return hit;
        const { userId: sender, clientId, baseSeq, body } = send;
        const ordinal = Number(decodeCell(hit.cell).ordinal);
        const createdAtMs = parts.clock.nowMs();
        return { seq: hit.seq, cell: encodeCell({ sender, clientId, baseSeq, ordinal, createdAtMs, body }) };
      },
    },
  }),

  "acknowledged before stored": (parts) => {
    const { store } = parts;
    const put: typeof store.checkAndPut = async (row, expected, head, entries) => {
      store.checkAndPut(row, expected, head, entries).catch(() => {});
      return true;
    };
    return { ...parts, store: { checkAndPut: put, put: store.put, get: store.get } };
  },

  "heads served from the cache": (parts) => {
    // What this server last read or wrote of a row answers one who compares heads.
    const known = new Map<string, Uint8Array>();
    const { store } = parts;
    const note = (row: { threadId: Uint8Array; bucket: number }, head: Uint8Array) => {
      known.set(`${hex(row.threadId)} ${row.bucket}`, head);
    };
    return {
      ...parts,
      store: {
        put: store.put,
        async checkAndPut(row, expected, head, entries) {
          const won = await store.checkAndPut(row, expected, head, entries);
          if (won) note(row, head);
          return won;
        },
        get: store.get,
      },
      headStore: {
        ...store,
        async get(row, query) {
          const head = known.get(`${hex(row.threadId)} ${row.bucket}`);
          return head ? { head, entries: [], cells: [] } : store.get(row, query);
        },
      },
    };
  },
};

/** The same for blocks of a direct thread's users. */
export const brokenBlocks: Readonly<Record<string, BlockVariant>> = {
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
  "a member change inside a batch": (parts) => ({ ...parts, queue: () => new UncutSends() }),

  "a seal without an entry": (parts) => ({ ...parts, queue: () => new UnwrittenVoids() }),

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

const NOWHERE = {
  threadId: new Uint8Array(16),
  seq: 1,
  createdAtMs: 0,
  ordinal: 0,
  cell: new Uint8Array(0),
  duplicate: false,
  online: [],
};

class UncutSends extends PendingSends {
  protected override endsBatch(): boolean {
    return false;
  }
}
