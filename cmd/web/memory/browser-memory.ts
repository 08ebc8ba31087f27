import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Keeping } from "../model.ts";
import { Notes } from "./notes.ts";

/** What this browser keeps for the page, where it does; else the tab does, and the page says so. */
export class BrowserMemory {
  readonly window: Window;
  /** Until the person clears it, shared by all tabs. */
  readonly browser: Notes;
  /** Until the tab is closed. */
  readonly tab: Notes;
  /** Whether the chats and unsent messages of this tab are in the browser's database. */
  readonly areChatsKept = signal(true);
  readonly keeping: ReadonlySignal<Keeping>;

  constructor(window: Window) {
    this.window = window;
    this.browser = new Notes(window, "localStorage");
    this.tab = new Notes(window, "sessionStorage");
    this.keeping = computed(() => {
      if (!this.areChatsKept.value) return "nothing";
      return this.browser.isKept.value && this.tab.isKept.value ? "all" : "chats";
    });
  }
}
