/** The longest text that the contract allows, in bytes of UTF-8. */
const LONGEST_BYTES = 32_768;

/** Texts that programs get wrong, different ones for each number. */
export function texts(number: number): readonly string[] {
  const name = `#${number}`;
  return [
    `${name} 👩‍👩‍👧‍👦🏳️‍🌈 👍🏽 e\u0301 \u{1F9F5}`,
    `${name} שלום עולם, مرحبا \u202Eabc\u202C 123`,
    `${name}\none\n\n\tfour`,
    `${name} <b onmouseover="throw 1">&amp;</b><script>throw 1</script><img src=x onerror=throw\u00A01>`,
    `${name} "quoted" \\n \\u0041 \u2028 {"to":"bob"} \${x} %s`,
    longest(`${name} 長い`),
  ];
}

/** Filled up to the last byte, mostly with characters of three. */
function longest(start: string): string {
  const filler = LONGEST_BYTES - Buffer.byteLength(start);
  return start + "字".repeat(Math.floor(filler / 3)) + "x".repeat(filler % 3);
}
