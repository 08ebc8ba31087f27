/** How many messages of ann to bob there are in a folder of which bits are flipped. */
export const flippedTo = 90;

/** The text of each. */
export function flippedText(seq: number): string {
  return `message ${seq} ${"of some length ".repeat(1 + (seq % 40))}`;
}
