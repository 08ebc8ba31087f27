/**
 * Text of others as it is shown: without the marks that turn the direction of what follows, which could make a text read
 * as another, or turn what stands behind it. Each script still runs its own way: an element isolates its text.
 */
export function shownText(text: string): string {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
}
