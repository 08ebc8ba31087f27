/**
 * What linkify-it takes from uc.micro: kinds of characters as regular expressions whose sources it puts together. The
 * browser knows Unicode itself, so it is asked, once, in place of a table of 1 KB gzipped. Marks beyond the 16 bits of a
 * code unit, which are of scripts of the past, do not count.
 */

/** No script that is in these ranges has punctuation: ideographs and syllables. */
const skipped = new Map([
  [0x3400, 0xa000],
  [0xac00, 0xf900],
]);

/** The order matters: linkify-it puts a look-ahead in front, which holds for the first alternative. */
export const Any =
  /[^\uD800-\uDFFF]|[\uD800-\uDBFF][\uDC00-\uDFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?:[^\uD800-\uDBFF]|^)[\uDC00-\uDFFF]/;
/** Control characters. No link has one. */
export const Cc = classOf(/\p{Cc}/u);
/** Separators: spaces and line ends, at which a link ends. */
export const Z = classOf(/\p{Z}/u);
/** Punctuation: what may end a link without being part of it. */
export const P = classOf(/\p{P}/u);

/** A class of the code units that match, for expressions without the flag `u`. */
function classOf(kind: RegExp): RegExp {
  let text = "";
  for (let code = 0; code <= 0xffff; code++) {
    code = skipped.get(code) ?? code;
    const first = code;
    while (kind.test(String.fromCharCode(code))) code += 1;
    if (code > first) text += `${escaped(first)}-${escaped(code - 1)}`;
  }
  return new RegExp(`[${text}]`);
}

function escaped(code: number): string {
  return `\\u${code.toString(16).padStart(4, "0")}`;
}
