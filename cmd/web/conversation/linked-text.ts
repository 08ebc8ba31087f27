import { LinkifyIt } from "linkify-it";

/** A piece of a message: plain, or a link. */
export type TextPart = string | { readonly text: string; readonly href: string };

/** Without a scheme only names under these count: a file name such as readme.md is no link. */
const tlds = ["com", "org", "net", "edu", "gov", "info", "dev", "io", "eu"];

const finder = new LinkifyIt({ fuzzyLink: true, fuzzyEmail: false, tlds });

/** What a link may open. Everything else stays text, whatever the finder thinks of it. */
const safeProtocols = new Set(["http:", "https:", "mailto:"]);

/** Splits a message into text and links. The parts' texts joined are the message, unchanged. */
export function linkedText(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of finder.match(text) ?? []) {
    const href = safeHref(match.url);
    if (href === undefined) continue;
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push({ text: text.slice(match.index, match.lastIndex), href });
    end = match.lastIndex;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

/** The address that a link opens; undefined where it is none that is safe, such as `javascript:`. */
function safeHref(url: string): string | undefined {
  try {
    const parsed = new URL(url);
    return safeProtocols.has(parsed.protocol) ? parsed.href : undefined;
  } catch {
    return undefined;
  }
}
