import { stripVTControlCharacters } from "node:util";

/** How many terminal columns a text takes: colours none, combining marks none, East Asian and emoji two. */
export function textWidth(text: string): number {
  let columns = 0;
  for (const character of stripVTControlCharacters(text)) columns += widthOf(character);
  return columns;
}

/** How many rows a line takes in a terminal this wide. */
export function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(textWidth(line) / Math.max(1, columns)));
}

function widthOf(character: string): number {
  if (/^(\p{Mark}|[\u200b-\u200d])$/u.test(character)) return 0;
  const isWide =
    /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]$/u;
  return isWide.test(character) ? 2 : 1;
}
