import { isListed, type ListedThread, withHeads } from "./listed-threads.ts";
import type { Heads, ThreadStore } from "./ports.ts";
import {
  decodeCursor,
  decodePageToken,
  encodeCursor,
  encodePageToken,
  type SyncCursor,
  type SyncPageToken,
} from "./sync-tokens.ts";

/** Rows of a page of Sync, at most. */
export const MAX_SYNC_PAGE = 200;

export interface SyncedThreads {
  /** The oldest change first, then large groups. May be empty on any page. */
  readonly threads: readonly ListedThread[];
  /** Empty on the last page. */
  readonly nextPageToken: Uint8Array;
  /** On the last page; else empty. */
  readonly cursor: Uint8Array;
}

type Rows = Pick<ThreadStore, "sync" | "get" | "knows">;

const NONE = new Uint8Array(0);

/** Where a sync stands between its pages, besides the era. */
type Place = Omit<SyncPageToken, "era">;

const START_OF_ALL: Place = {
  sinceVersion: 0,
  sinceAtMs: 0,
  afterVersion: 0,
  afterLarge: new Uint8Array(16),
  atMs: Number.MAX_SAFE_INTEGER,
};

/**
 * Sync (docs/design.md, section 6): the owner's threads that may have changed since a cursor {era, mark, version, at}.
 *
 * A page is one snapshot of the rows with version > cursor.version or active_until ≥ cursor.at, of these the ones above
 * the last page's last version, and, where they leave room, of the large groups that the owner is a member of and that
 * are not of these rows, by id; and the heads of all that, read *after* the snapshot. Why no entry is missed, though
 * touches come at any moment, within pages, between pages and between syncs:
 *
 * - *A row that is touched between pages* takes a version above all that were given, so above `afterVersion`: a later
 *   page lists it, again if it had been listed before. Pages go on until a snapshot holds nothing above the last row,
 *   which need not wait for long: a row is touched about once a minute. (Stopping at the first page's counter would
 *   not do: a row on its way from an old version to a new one would be on no page, with entries from before the sync.)
 * - *A row that is touched after the last snapshot* takes a version above that snapshot's counter, since versions come
 *   from the counter within the transaction that shows them. The counter enters the cursor, so the next sync lists it.
 * - *An entry that is committed under a touch the sync has already seen* takes no version. If it is committed before
 *   the head of its row is read, the head has it. If after, then at a moment t later than the first page's snapshot,
 *   at `at` of the store's clock, and the touch, in force at t, was applied less than 45 s before t. So its active_until
 *   is above at + 15 s, and the next sync lists the row. That is why `at` is the first page's, whose rows' heads are
 *   read first: with the last page's, a sync that took longer than a minute would lose entries of its first page. (Should
 *   the store's clock be set back between two pages, it is the earliest of the pages' times: touches after that moment
 *   have an active_until of the earlier time.)
 * - *An entry whose touch comes after its commit* is covered by the touch, in one of the two first ways: the touch makes
 *   the row part of a page or of the next sync, and its head is read after that snapshot, so after the commit.
 *
 * - *An entry of a large group* needs no touch. Every sync lists every large group whose member the owner is all the
 *   time, with a head read after the sync began: so an entry that was accepted before is in that head, and a later one
 *   in the next sync's. A group is in one of two sets, by its row or by its mark; a row that changes meanwhile goes from
 *   the second to the first, never back, and takes a version above `afterVersion`: so it is on a later page at the
 *   latest, or listed twice, but not left out.
 * - *A group that becomes large*, between pages or between syncs: the entry that makes it so is projected before any
 *   later entry is committed, since these are judged by that projection, and the projection marks every member's row
 *   and takes a version for it. Entries up to it are covered by touches as in every small group, the later ones by the
 *   mark.
 * - *Who joins or leaves* has a row with a new version from the moment of the projection, which comes before the call is
 *   answered and before any later entry is committed. So a large group that is left between two pages, and so in no
 *   later list of them, is on a later page as a row, with the head up to which the owner may see it.
 *
 * All this holds within one history of the store. A cursor names the state that it was made at, {era, mark}: if the
 * store has not grown out of that state (it was put back to an earlier one, or made anew), all is listed.
 *
 * A client keeps its old cursor until the last page, so a sync that breaks off is begun again and loses nothing.
 */
export class Sync {
  readonly #rows: Rows;
  readonly #heads: Heads;

  constructor(ports: { readonly rows: Rows; readonly heads: Heads }) {
    this.#rows = ports.rows;
    this.#heads = ports.heads;
  }

  /**
   * One page. `pageSize` 0 means MAX_SYNC_PAGE. With a page token the cursor is not looked at: the token has it.
   * Rejects with TOKEN_MALFORMED, or as the stores do.
   */
  async page(
    ownerId: string,
    cursorBytes: Uint8Array,
    tokenBytes: Uint8Array,
    pageSize: number,
  ): Promise<SyncedThreads> {
    const token = decodePageToken(tokenBytes);
    const limit = Math.min(pageSize || MAX_SYNC_PAGE, MAX_SYNC_PAGE);

    const cursor = token ? undefined : decodeCursor(cursorBytes);
    let place = token ?? placeOf(cursor);
    let page = await this.#read(ownerId, place, limit);
    // Of what the store does not know all is listed anew: its version means nothing here. Asked after the page was read,
    // since a standby without the last commits may have been promoted just before.
    const isKnown = token ? token.era === page.state.era : !cursor || (await this.#rows.knows(cursor));
    if (!isKnown) {
      place = START_OF_ALL;
      page = await this.#read(ownerId, place, limit);
    }
    const rows = [...page.rows, ...page.large];
    const threads = (await withHeads(this.#heads, rows, this.#rows)).filter(isListed);
    const atMs = Math.min(place.atMs, page.nowMs);
    const { state, version } = page;
    if (!page.hasMore) {
      return { threads, nextPageToken: NONE, cursor: encodeCursor({ ...state, version, atMs }) };
    }
    const afterVersion = page.rows.at(-1)?.version ?? place.afterVersion;
    const afterLarge = page.large.at(-1)?.threadId ?? place.afterLarge;
    const next = encodePageToken({ ...place, era: state.era, atMs, afterVersion, afterLarge });
    return { threads, nextPageToken: next, cursor: NONE };
  }

  #read(ownerId: string, place: Place, limit: number) {
    const since = place.sinceVersion > 0 ? { version: place.sinceVersion, atMs: place.sinceAtMs } : undefined;
    return this.#rows.sync(ownerId, since, place.afterVersion, limit, place.afterLarge);
  }
}

function placeOf(cursor: SyncCursor | undefined): Place {
  if (!cursor) return START_OF_ALL;
  return { ...START_OF_ALL, sinceVersion: cursor.version, sinceAtMs: cursor.atMs };
}
