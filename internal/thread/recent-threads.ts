import { isListed, type ListedThread, withHeads } from "./listed-threads.ts";
import { decodeToken, encodeToken, TokenKind } from "./opaque-token.ts";
import type { Heads, ThreadStore } from "./ports.ts";

/** Threads of a page of ListThreads if the request does not say. */
export const DEFAULT_LIST_PAGE = 50;

/** Rows that one page looks at, as a multiple of its size, before it is given although it is not full. */
const MAX_ROUNDS = 4;

export interface RecentPage {
  /** The most recently active first. */
  readonly threads: readonly ListedThread[];
  /** Empty on the last page. */
  readonly nextPageToken: Uint8Array;
}

type Place = { readonly updatedAtMs: number; readonly threadId: Uint8Array };

/**
 * The owner's threads by recency. Threads without entries are left out, so a page reads on until it is full, but not
 * for ever: after MAX_ROUNDS it may come short, or empty, with a token. A thread that becomes active meanwhile moves
 * above what was listed: it may be missed here, and comes through Sync.
 */
export class RecentThreads {
  readonly #rows: Pick<ThreadStore, "list" | "get">;
  readonly #heads: Heads;

  constructor(ports: { readonly rows: Pick<ThreadStore, "list" | "get">; readonly heads: Heads }) {
    this.#rows = ports.rows;
    this.#heads = ports.heads;
  }

  /** One page. `pageSize` 0 means DEFAULT_LIST_PAGE. Rejects with TOKEN_MALFORMED, or as the stores do. */
  async page(ownerId: string, tokenBytes: Uint8Array, pageSize: number): Promise<RecentPage> {
    const size = pageSize || DEFAULT_LIST_PAGE;
    const threads: ListedThread[] = [];
    let place = decodePlace(tokenBytes);
    for (let round = 0; round < MAX_ROUNDS && threads.length < size; round++) {
      const wanted = size - threads.length;
      const rows = await this.#rows.list(ownerId, wanted, place);
      threads.push(...(await withHeads(this.#heads, rows, this.#rows)).filter(isListed));
      if (rows.length < wanted) return { threads, nextPageToken: new Uint8Array(0) };
      place = rows.at(-1) ?? place;
    }
    return { threads, nextPageToken: place ? encodePlace(place) : new Uint8Array(0) };
  }
}

function encodePlace({ updatedAtMs, threadId }: Place): Uint8Array {
  return encodeToken(TokenKind.listPage, [updatedAtMs], threadId);
}

function decodePlace(bytes: Uint8Array): Place | undefined {
  if (bytes.length === 0) return undefined;
  const { numbers, rest } = decodeToken(
    { kind: TokenKind.listPage, numbers: 1, restBytes: 16 },
    bytes,
    "page_token",
  );
  return { updatedAtMs: numbers[0] ?? 0, threadId: rest };
}
