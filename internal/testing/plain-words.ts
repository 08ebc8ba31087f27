import type { SourceFile } from "./layers.ts";

/**
 * Words that a reader who learnt English at school stumbles over. A name for the one who acts is plainer: "the sender",
 * "the user that it names", "which server". A name of a file may have one.
 */
const STIFF = /(?<![-/])\bwho(?:m|m?ever)\b/i;

/** Finds words that are not used here, in code, comments and docs. Returns `file:line: what`, one a line. */
export function findStiffWords(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, at) => {
      const word = STIFF.exec(line)?.[0];
      return word ? [`${path}:${at + 1}: "${word}" is no plain English: name who acts`] : [];
    }),
  );
}
