import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { decodeCell } from "../../../message/cells/entry-cell.ts";
import { sendTag, tagKey } from "../../../message/cells/send-tag.ts";
import { type Hit, StoreSearch } from "../../../message/log/duplicate-search.ts";
import { findHead } from "../../../message/log/head-finder.ts";
import { encodeCell } from "../../../wire/entry-bytes.ts";
import { logStoreOf } from "../../fakes/message/message-samples.ts";
import type { Variant } from "./append-world.ts";

/**
 * Appends with one mechanism of docs/design.md, section 5, missing. Each breaks a promise, and the property test must
 * see it do so: they show that the test can fail.
 */
export const brokenAppends: Readonly<Record<string, Variant>> = {
  /** The head that is stored now is what is compared: two servers overwrite each other's entries. */
  "no compare": (parts) => {
    const { store } = parts;
    const put: typeof store.checkAndPut = async (row, _expected, head, entries) => {
      const stored = (await store.get(row, { head: true })).head;
      return store.checkAndPut(row, stored, head, entries);
    };
    return { ...parts, store: { checkAndPut: put, put: store.put, get: store.get } };
  },

  /** The search is done before the send waits, so a try that commits meanwhile is not found: it is there twice. */
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

  /** A retry searches above what its user holds now, and not above what it held first: it misses its own entry. */
  "base_seq recomputed": (parts, world) => ({
    ...parts,
    async admit(send) {
      if (send.attempt === 1) return send;
      await world.pull(send.userId);
      return { ...send, baseSeq: world.held.get(send.userId) ?? 0 };
    },
  }),

  /** A duplicate is answered with a new cell: who repeats is told another time, or another text, than is stored. */
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

  /** The write is not waited for: a crash then loses what was acknowledged. */
  "acknowledged before stored": (parts) => {
    const { store } = parts;
    const put: typeof store.checkAndPut = async (row, expected, head, entries) => {
      store.checkAndPut(row, expected, head, entries).catch(() => {});
      return true;
    };
    return { ...parts, store: { checkAndPut: put, put: store.put, get: store.get } };
  },

  /**
   * A server trusts what it last knew, though the other may have appended since: a reader compares with an old head.
   */
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
