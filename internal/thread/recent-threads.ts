import type { Clock } from "../base/clock.ts";
import { hex } from "../base/ids.ts";
import { isListed, type ListedThread, withHeads } from "./listed-threads.ts";
import { decodeToken, encodeToken, TokenKind } from "./opaque-token.ts";
import type { EntryTimes, Heads, ThreadRow, ThreadStore } from "./ports.ts";

/** Threads of a page of ListThreads if the request does not say. */
export const DEFAULT_LIST_PAGE = 50;

/** Rows that one page looks at, as a multiple of its size, before it is given although it is not full. */
const MAX_ROUNDS = 4;
/**
 * A touch counts for 45 s, so entries may be that much younger than their row says; rows touched in this time before
 * the first page are placed by their last entry instead, in ms. Older rows stand where they were last touched.
 */
const RECENT_MS = 60_000;
/** Rows that are placed so, at most: an import touches thousands in a minute. The others stand where they were touched. */
const MAX_RECENT = 1_000;
/** Rows read at a time to find them. */
const RECENT_BATCH = 200;

export interface RecentPage {
  /** The most recently active first; updatedAtMs is what they are sorted by. */
  readonly threads: readonly ListedThread[];
  /** Empty on the last page. */
  readonly nextPageToken: Uint8Array;
}

/** A place in the list. */
type Place = Pick<ListedThread["row"], "updatedAtMs" | "threadId">;

/** Where a list stands between its pages. */
interface Position {
  /** Rows touched after it are placed by their last entry, on every page alike: what was listed stays above. */
  readonly floorMs: number;
  /** The last thread listed. */
  readonly place: Place;
}

type Rows = Pick<ThreadStore, "list" | "get">;

interface RecentPorts {
  readonly rows: Rows;
  readonly heads: Heads & EntryTimes;
  readonly clock: Clock;
}

/**
 * The owner's threads by recency. Threads without entries are left out, so a page reads on until it is full, but not
 * for ever: after MAX_ROUNDS it may come short, or empty, with a token. A thread that becomes active meanwhile moves
 * above what was listed: it may be missed here, and comes through Sync.
 */
export class RecentThreads {
  readonly #ports: RecentPorts;

  constructor(ports: RecentPorts) {
    this.#ports = ports;
  }

  /** One page. `pageSize` 0 means DEFAULT_LIST_PAGE. Rejects with TOKEN_MALFORMED, or as the stores do. */
  async page(ownerId: string, tokenBytes: Uint8Array, pageSize: number): Promise<RecentPage> {
    const size = pageSize || DEFAULT_LIST_PAGE;
    const position = decodePosition(tokenBytes);
    const wantedMs = position?.floorMs ?? Math.max(0, this.#ports.clock.nowMs() - RECENT_MS);
    const { floorMs, listed } = await this.#recent(ownerId, wantedMs);
    const recent = listed.filter(({ row }) => !position || isBelow(row, position.place));
    const floor = { updatedAtMs: floorMs + 1, threadId: new Uint8Array(16) };
    const from = position && isBelow(position.place, floor) ? position.place : floor;

    const above = recent.filter(({ row }) => row.updatedAtMs > floorMs).length;
    const older = above < size ? await this.#older(ownerId, from, size - above) : { listed: [], end: from };
    const { end } = older;
    // Below the last row that was read may be others that come before a thread whose last entry is far older.
    const known = [...recent, ...older.listed].filter(({ row }) => !end || !isBelow(row, end));
    const threads = known.sort((a, b) => byRecency(a.row, b.row)).slice(0, size);
    if (!end && threads.length === known.length) return { threads, nextPageToken: new Uint8Array(0) };
    const place = (threads.length < size ? end : threads.at(-1)?.row) ?? from;
    return { threads, nextPageToken: encodePosition({ floorMs, place }) };
  }

  /** The threads whose rows were touched after a moment, each placed by its last entry that the owner may see. */
  async #recent(
    ownerId: string,
    afterMs: number,
  ): Promise<{ floorMs: number; listed: readonly ListedThread[] }> {
    const { rows, heads } = this.#ports;
    const found: ThreadRow[] = [];
    let floorMs = afterMs;
    for (let isMore = true; isMore; ) {
      const batch = await rows.list(ownerId, RECENT_BATCH, found.at(-1));
      found.push(...batch);
      const last = batch.at(-1);
      isMore = batch.length === RECENT_BATCH && (last?.updatedAtMs ?? 0) > floorMs;
      if (isMore && last && found.length >= MAX_RECENT) [floorMs, isMore] = [last.updatedAtMs, false];
    }
    const recent = found.filter(({ updatedAtMs }) => updatedAtMs > floorMs);
    const listed = (await withHeads(heads, recent, rows)).filter(isListed);
    const times = await heads.entryTimes(
      listed.map(({ row, head }) => ({ threadId: row.threadId, seq: head.seq })),
    );
    const placed = listed.map(({ row, ...rest }) => {
      const updatedAtMs = times.get(hex(row.threadId)) ?? row.updatedAtMs;
      return { row: { ...row, updatedAtMs }, ...rest };
    });
    return { floorMs, listed: placed };
  }

  /** Threads below a place, by their rows; `end`: the last row that was read, undefined if it was the last there is. */
  async #older(
    ownerId: string,
    from: Place,
    size: number,
  ): Promise<{ listed: readonly ListedThread[]; end: Place | undefined }> {
    const { rows, heads } = this.#ports;
    const listed: ListedThread[] = [];
    let end = from;
    for (let round = 0; round < MAX_ROUNDS && listed.length < size; round++) {
      const wanted = size - listed.length;
      const found = await rows.list(ownerId, wanted, end);
      listed.push(...(await withHeads(heads, found, rows)).filter(isListed));
      if (found.length < wanted) return { listed, end: undefined };
      end = found.at(-1) ?? end;
    }
    return { listed, end };
  }
}

/** The order of the list: the latest first. */
function byRecency(a: Place, b: Place): number {
  return b.updatedAtMs - a.updatedAtMs || Buffer.compare(b.threadId, a.threadId);
}

function isBelow(a: Place, b: Place): boolean {
  return byRecency(a, b) > 0;
}

function encodePosition({ floorMs, place }: Position): Uint8Array {
  return encodeToken(TokenKind.recentPage, [floorMs, place.updatedAtMs], place.threadId);
}

function decodePosition(bytes: Uint8Array): Position | undefined {
  if (bytes.length === 0) return undefined;
  const shape = { kind: TokenKind.recentPage, numbers: 2, restBytes: 16 };
  const { numbers, rest } = decodeToken(shape, bytes, "page_token");
  const [floorMs = 0, updatedAtMs = 0] = numbers;
  return { floorMs, place: { updatedAtMs, threadId: rest } };
}
