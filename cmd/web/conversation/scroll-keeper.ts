import type { Signal } from "@preact/signals";

/** Nearer to the end than this counts as at the end. */
const END_PX = 40;

/**
 * Keeps a scrolled list where a person's eyes are: at the end if they are there, else with the topmost message they
 * see at the same height, whatever is added above, below, or changes its size. Browsers do this only in part (not at
 * the upper edge, and Safari not at all), so their own anchoring is switched off in the style sheet.
 */
export class ScrollKeeper {
  readonly #box: HTMLElement;
  readonly #isAtEnd: Signal<boolean>;
  readonly #resizes: ResizeObserver;
  readonly #listeners = new Set<() => void>();
  /** Of box and content, when things were last put in their place. */
  #size = "";
  #anchor: { readonly element: HTMLElement; readonly offset: number } | undefined;
  /** The scroll height at which the anchor was taken. */
  #top = 0;

  constructor(box: HTMLElement, isAtEnd: Signal<boolean>) {
    this.#box = box;
    this.#isAtEnd = isAtEnd;
    box.addEventListener("scroll", this.#scrolled, { passive: true });
    this.#resizes = new ResizeObserver(() => this.restore());
    this.#resizes.observe(box);
    if (box.firstElementChild) this.#resizes.observe(box.firstElementChild);
  }

  /** Lets go of the box. The page keeps none that is no longer drawn. */
  close(): void {
    this.#box.removeEventListener("scroll", this.#scrolled);
    this.#resizes.disconnect();
  }

  /** Called whenever other messages may have come into sight. */
  onLook(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  look(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Puts things back in their place after the list has changed. Scrolling whose event is yet to come counts. */
  restore(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    if (this.#isAtEnd.peek()) this.#box.scrollTop = scrollHeight;
    else if (this.#anchor?.element.isConnected) {
      const isCutOff = scrollTop >= scrollHeight - clientHeight - 1; // By a list that got shorter.
      const scrolled = isCutOff ? 0 : scrollTop - this.#top;
      this.#box.scrollTop = this.#anchor.element.offsetTop - this.#anchor.offset + scrolled;
    }
    this.#remember();
  }

  /** Goes to the newest message, and stays there. */
  toEnd(): void {
    this.#isAtEnd.value = true;
    this.restore();
  }

  /** Goes to a height. The scroll event says so a frame later: a change of the list before it would undo it. */
  toTop(top: number): void {
    this.#box.scrollTop = top;
    this.#settle();
  }

  /** The seq of the lowest message that is on the screen in full, or of the one that fills it; 0 if none. */
  lastSeenSeq(): number {
    const bottom = this.#box.scrollTop + this.#box.clientHeight;
    const seen = this.#bubbles().findLast(
      (bubble) => bubble.dataset.seq && bubble.offsetTop + Math.min(bubble.offsetHeight, 80) <= bottom + 1,
    );
    return Number(seen?.dataset.seq ?? 0);
  }

  /**
   * The event comes a frame after the scrolling. If the box or its content has another size by then, it says nothing of
   * where somebody wants to be: one who was at the end stays there.
   */
  readonly #scrolled = () => {
    const isResized = this.#size !== this.#sizeNow();
    if (isResized && this.#isAtEnd.peek()) this.restore();
    else this.#settle();
  };

  #settle(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    this.#isAtEnd.value = scrollHeight - scrollTop - clientHeight < END_PX;
    this.#remember();
    this.look();
  }

  #sizeNow(): string {
    return `${this.#box.clientHeight}/${this.#box.scrollHeight}`;
  }

  #remember(): void {
    this.#size = this.#sizeNow();
    const top = this.#box.scrollTop;
    this.#top = top;
    const element = this.#bubbles().find((bubble) => bubble.offsetTop + bubble.offsetHeight > top);
    this.#anchor = element && { element, offset: element.offsetTop - top };
  }

  #bubbles(): HTMLElement[] {
    return [...this.#box.querySelectorAll<HTMLElement>(".bubble, .change")];
  }
}
