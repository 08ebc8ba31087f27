import type { SeededRandom } from "../../fakes/time/seeded-random.ts";

/** Stands in every text of a load, so that a log can be searched for them. */
export const TEXT_MARK = "nobody-else-may-read-this";

/** A text that a sender wanted to send. */
export interface Meant {
  readonly userId: string;
  readonly threadId: string;
  /** It was safe in an outbox, so it must be in the log once; else it may be, once at most. */
  isKept: boolean;
}

/** The texts of a load: each once, each known. */
export class LoadTexts {
  /** By the text. */
  readonly meant = new Map<string, Meant>();

  /** A new text of 1 to a few hundred characters more than its mark. */
  make(userId: string, threadId: string, random: SeededRandom): string {
    const more = "\u7ef8".repeat(random.chance(0.1) ? random.between(1, 300) : random.between(1, 20));
    const text = `${TEXT_MARK} ${this.meant.size + 1} ${more}`;
    this.meant.set(text, { userId, threadId, isKept: false });
    return text;
  }

  /** It is safe now. */
  kept(text: string): void {
    const meant = this.meant.get(text);
    if (meant) meant.isKept = true;
  }
}
