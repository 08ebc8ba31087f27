import type { Span } from "../model/model.ts";

/** The spans of one who went by the entry `seq`. */
export function spansAfterLeaving(spans: readonly Span[], seq: number): readonly Span[] {
  const last = spans.at(-1);
  return last && last.lastSeq === undefined ? [...spans.slice(0, -1), { ...last, lastSeq: seq }] : spans;
}

/** The spans of one who came by the entry `seq`; the row tells where the one before ended, if that was not heard. */
export function spansAfterComing(spans: readonly Span[], seq: number): readonly Span[] {
  return [...spans.filter(({ lastSeq }) => lastSeq !== undefined), { firstSeq: seq }];
}

/** What lies before and between spans, ascending, both ends included: not for this user to see. */
export function spaceBetween(spans: readonly Span[]): (readonly [from: number, to: number])[] {
  const space: (readonly [number, number])[] = [];
  let from = 1;
  for (const { firstSeq, lastSeq = Number.POSITIVE_INFINITY } of spans) {
    if (firstSeq > from) space.push([from, firstSeq - 1]);
    from = lastSeq + 1;
  }
  return space;
}
