import type { Span } from "../base/group.ts";
import { entriesField } from "../wire/entry-bytes.ts";
import type { LogStore } from "./cells/log-store.ts";

/** Entries of a page where the request does not say. */
export const DEFAULT_PAGE = 50;
/** A page is cut here, in bytes of cells. */
const PAGE_BYTES = 1 << 20;

/** Which entries a reader asks for: right above a seq, right below one, or the newest. */
export type Position =
  | { readonly case: "afterSeq" | "beforeSeq"; readonly value: bigint }
  | { readonly case: undefined };

export interface Page {
  /** Field `entries` of ListEntriesResponse, encoded; in ascending order of seq, without a hole. */
  readonly entries: Uint8Array;
  readonly hasMore: boolean;
}

/** The spans of a thread that a user may see. */
export interface SeenSpans {
  readonly last: Span;
  /** Those before it, ascending. It costs a read, so only a page that gets to the first entry of `last` asks for them. */
  readonly earlier: () => Promise<readonly Span[]>;
}

/**
 * Reads a page of what a user may see of a thread: one or two rows, by keys known from the head, never a scan. A page lies
 * within one span, so there is no hole in it.
 */
export async function readPage(
  store: LogStore,
  threadId: Uint8Array,
  seen: SeenSpans,
  position: Position,
  pageSize: number,
): Promise<Page> {
  const size = pageSize || DEFAULT_PAGE;
  const upwards = position.case === "afterSeq";
  const end = seen.last.lastSeq;
  const above = upwards ? Number(position.value) + 1 : 1;
  const below = position.case === "beforeSeq" ? Number(position.value) - 1 : end;
  const lowest = upwards ? above : Math.min(below, end) - size + 1;
  const spans = [...(lowest <= seen.last.firstSeq ? await seen.earlier() : []), seen.last];
  const span = upwards
    ? spans.find(({ lastSeq }) => lastSeq >= above)
    : spans.findLast(({ firstSeq }) => firstSeq <= below);
  if (!span) return { entries: new Uint8Array(0), hasMore: false };
  const highest = Math.min(below, span.lastSeq);
  const from = Math.max(span.firstSeq, upwards ? above : highest - size + 1);
  const to = upwards ? Math.min(span.lastSeq, from + size - 1) : highest;

  const cells = await store.entries(threadId, from, to);
  const kept = cut(cells, upwards);
  const entries = entriesField(threadId, kept);
  const lowestKept = kept[0]?.seq ?? from;
  const highestKept = kept.at(-1)?.seq ?? to;
  const hasMore =
    kept.length > 0 && (upwards ? highestKept < end : lowestKept > (spans[0] ?? seen.last).firstSeq);
  return { entries, hasMore };
}

/** As many cells as a page holds, from the end at which the reader stands. At least one. */
function cut<T extends { value: Uint8Array }>(cells: readonly T[], upwards: boolean): readonly T[] {
  const ordered = upwards ? cells : cells.toReversed();
  let bytes = 0;
  let count = 0;
  for (const { value } of ordered) {
    bytes += value.length;
    if (count > 0 && bytes > PAGE_BYTES) break;
    count += 1;
  }
  const kept = ordered.slice(0, count);
  return upwards ? kept : kept.toReversed();
}
