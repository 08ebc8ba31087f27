import { signal } from "@preact/signals";
import type { TextPart } from "./linked-text.ts";

/** Without one of these between two other characters there is no link in a text. */
const linkLike = /\S[.:@]\S/;

/** What finds links, 4 KB gzipped: it comes when the first text is shown that may have one, and is then drawn in. */
const finder = signal<((text: string) => readonly TextPart[]) | undefined>(undefined);
let isOnItsWay = false;

/** The text of a message, with its links. */
export function MessageText({ text }: { text: string | undefined }) {
  if (text === undefined) return <em class="text">This page is too old to show this message.</em>;
  const parts = partsOf(text).map((part) =>
    typeof part === "string" ? (
      part
    ) : (
      // `noopener`: the other page gets no hand on this one; `noreferrer`: nor hears which chat it was linked from.
      <a href={part.href} target="_blank" rel="noopener noreferrer nofollow">
        {part.text}
      </a>
    ),
  );
  return (
    <span class="text" dir="auto">
      {parts}
    </span>
  );
}

function partsOf(text: string): readonly TextPart[] {
  if (!linkLike.test(text)) return [text];
  if (!finder.value) void fetchFinder();
  return finder.value?.(text) ?? [text];
}

/** If it does not come, links are plain text, and the next one that is drawn asks again. */
async function fetchFinder(): Promise<void> {
  if (isOnItsWay) return;
  isOnItsWay = true;
  try {
    finder.value = (await import("./linked-text.ts")).linkedText;
  } catch {
    isOnItsWay = false;
  }
}
