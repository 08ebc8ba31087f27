const MARKS = /[\u202a-\u202e\u2066-\u2069]/g;
const POP_EMBEDDING = "\u202c";
const POP_ISOLATE = "\u2069";

/**
 * Text of others as it is shown: without marks that turn the direction of all that follows, which could make a text read
 * as another, or turn what stands behind it. Marks that are closed turn only what stands between them, and stay: the
 * text is shown as it was sent. Each script still runs its own way: an element isolates its text.
 */
export function shownText(text: string): string {
  const unclosed = unclosedMarks(text);
  return text.replace(MARKS, (mark, at: number) => (unclosed.has(at) ? "" : mark));
}

/** Where marks stand that open what is never closed, or close what is not open (UAX #9, BD9 and BD11). */
function unclosedMarks(text: string): ReadonlySet<number> {
  const open: { readonly at: number; readonly isIsolate: boolean }[] = [];
  const unclosed = new Set<number>();
  for (const { 0: mark, index: at } of text.matchAll(MARKS)) {
    if (mark === POP_EMBEDDING) {
      if (open.at(-1)?.isIsolate === false) open.pop();
      else unclosed.add(at);
    } else if (mark === POP_ISOLATE) {
      const from = open.findLastIndex(({ isIsolate }) => isIsolate);
      if (from < 0) unclosed.add(at);
      else for (const within of open.splice(from).slice(1)) unclosed.add(within.at);
    } else open.push({ at, isIsolate: mark >= "\u2066" });
  }
  for (const { at } of open) unclosed.add(at);
  return unclosed;
}
