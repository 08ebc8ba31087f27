import type { Readable } from "node:stream";

/**
 * The lines of an input, without their ends: `\n`, after `\r` or not. node:readline would end a line at U+2028 and
 * U+2029 too, which JSON writes into strings as they are.
 */
export async function* inputLines(input: Readable): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of input.setEncoding("utf8")) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest;
}
