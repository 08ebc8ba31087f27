import { stripVTControlCharacters } from "node:util";

/**
 * How many terminal columns a text takes: colours none, combining marks none, East Asian and emoji two. A guess by
 * script: terminals differ about new emoji, and then a tick stands one column off.
 */
export function textWidth(text: string): number {
  let columns = 0;
  for (const character of stripVTControlCharacters(text)) columns += widthOf(character);
  return columns;
}

/** How many rows a line takes in a terminal this wide. */
export function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(textWidth(line) / Math.max(1, columns)));
}

/**
 * A text as lines of at most `width` columns, broken between words where there is a place. A width below 2 still ends:
 * a wide character then stands alone.
 */
export function wrap(text: string, width: number): readonly string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, width));
}

function wrapLine(line: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = "";
  let columns = 0;
  for (const character of line) {
    const room = widthOf(character);
    if (columns + room > width) {
      // A break behind the last space, unless that wastes more than half of the line.
      const space = current.lastIndexOf(" ");
      const cut = space > current.length / 2 ? space + 1 : current.length;
      lines.push(current.slice(0, cut).trimEnd());
      current = current.slice(cut);
      columns = textWidth(current);
    }
    current += character;
    columns += room;
  }
  return [...lines, current];
}

function widthOf(character: string): number {
  if (/^(\p{Mark}|[\u200b-\u200d])$/u.test(character)) return 0;
  const isWide =
    /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]$/u;
  return isWide.test(character) ? 2 : 1;
}
