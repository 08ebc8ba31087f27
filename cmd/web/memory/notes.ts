import { type ReadonlySignal, signal } from "@preact/signals";

/** As much of the browser's Storage as this page uses. */
export type NoteStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/**
 * Short notes that outlive a reload, in local or session storage. Browsers deny these to a page whose site data is
 * blocked, refuse a note when they are full, and empty them under an open page when its site data is cleared. Nothing
 * of that is an error here: what the browser does not keep, this tab does, until it is reloaded or closed; `isKept` says
 * so, for the person to be told. What was cleared is noted again.
 */
export class Notes implements NoteStore {
  readonly #isKept = signal(true);
  readonly #storage: Storage | undefined;
  /** What this tab has noted or read. */
  readonly #known = new Map<string, string>();
  /** What of it the browser did not take. */
  readonly #unkept = new Map<string, string>();

  constructor(window: Window, area: "localStorage" | "sessionStorage") {
    try {
      this.#storage = window[area];
    } catch {
      this.#storage = undefined; // Blocked.
    }
    // No key: all was cleared.
    window.addEventListener("storage", ({ key }) => key === null && this.#noteAgain());
  }

  /** Whether the browser has everything that was noted. */
  get isKept(): ReadonlySignal<boolean> {
    return this.#isKept;
  }

  /** As Storage's; never throws. */
  getItem(key: string): string | null {
    const found = this.#unkept.get(key) ?? this.#storage?.getItem(key) ?? null;
    if (found !== null) this.#known.set(key, found);
    return found;
  }

  /** Notes it, in this tab at least. Never throws. */
  setItem(key: string, value: string): void {
    this.#known.set(key, value);
    try {
      if (!this.#storage) throw new Error("blocked");
      this.#storage.setItem(key, value);
      this.#unkept.delete(key);
    } catch {
      this.#unkept.set(key, value);
      this.#storage?.removeItem(key); // What it was before must not come back.
    }
    this.#isKept.value = this.#unkept.size === 0;
  }

  removeItem(key: string): void {
    this.#known.delete(key);
    this.#unkept.delete(key);
    this.#storage?.removeItem(key);
    this.#isKept.value = this.#unkept.size === 0;
  }

  #noteAgain(): void {
    for (const [key, value] of this.#known) {
      if ((this.#storage?.getItem(key) ?? null) === null) this.setItem(key, value);
    }
  }
}
