/**
 * Text of other people on a terminal: control characters, escape sequences among them, could move the cursor, set the
 * title or write the clipboard. Line ends and tabs keep their meaning, the rest is shown as a mark. Marks that reverse
 * the direction of what follows go too.
 */
export function safeText(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll("\t", "    ")
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (control) => (control === "\n" ? control : "\u00b7"));
}

/** The same on one line, cut to `most` characters. */
export function oneLine(text: string, most: number): string {
  const line = safeText(text).replace(/\s+/g, " ").trim();
  const characters = [...line];
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join("")}…`;
}
