import { type ReadonlySignal, signal } from "@preact/signals";

/**
 * Whether somebody is looking: this tab is in front and its window has the focus. Only then may a message on the
 * screen count as read.
 */
export function watchAttention(page: Document): ReadonlySignal<boolean> {
  const attention = signal(isAttended(page));
  const look = () => {
    attention.value = isAttended(page);
  };
  page.addEventListener("visibilitychange", look);
  page.defaultView?.addEventListener("focus", look);
  page.defaultView?.addEventListener("blur", look);
  return attention;
}

function isAttended(page: Document): boolean {
  return page.visibilityState === "visible" && page.hasFocus();
}
