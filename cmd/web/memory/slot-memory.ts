import type { NoteStore } from "./notes.ts";
import { SLOT_COUNT } from "./slots.ts";

/**
 * What this browser remembers of its slots. Each slot has a storage of its own per user, so a message that waits in
 * the outbox of a closed tab can be sent only through that tab's slot: the notes here say which slots have such.
 */
const slotKey = "heddle.slot";
const installKey = "heddle.install";
const waitingKey = (userId: string, slot: number) => `heddle.waiting.${userId}.${slot}`;

/** The slot that this tab had before a reload, else one in which messages of this user wait. */
export function preferredSlot(tab: NoteStore, browser: NoteStore, userId: string): number | undefined {
  const before = Number(tab.getItem(slotKey));
  if (before >= 1 && before <= SLOT_COUNT) return before;
  for (let slot = 1; slot <= SLOT_COUNT; slot++) if (browser.getItem(waitingKey(userId, slot))) return slot;
  return undefined;
}

/** Notes the slot of this tab, so that a reload asks for the same one and finds its device and outbox. */
export function rememberSlot(tab: NoteStore, slot: number): void {
  tab.setItem(slotKey, String(slot));
}

/** Notes how many messages of a user wait in a slot: `sendable` will go by themselves, `failed` need a person. */
export function noteWaiting(
  browser: NoteStore,
  userId: string,
  slot: number,
  counts: { readonly sendable: number; readonly failed: number },
): void {
  const key = waitingKey(userId, slot);
  if (counts.sendable + counts.failed === 0) browser.removeItem(key);
  else browser.setItem(key, String(counts.sendable));
}

/** Slots other than `own` in which messages of this user wait that would go by themselves. */
export function slotsWithSendable(browser: NoteStore, userId: string, own: number): number[] {
  const slots = Array.from({ length: SLOT_COUNT }, (_, at) => at + 1);
  return slots.filter((slot) => slot !== own && Number(browser.getItem(waitingKey(userId, slot))) > 0);
}

/** Names this browser among the user's devices: 16 hex digits, made once. */
export function installation(browser: NoteStore): string {
  const known = browser.getItem(installKey);
  if (known && /^[0-9a-f]{16}$/.test(known)) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  browser.setItem(installKey, made);
  return made;
}

/** A device that its user has revoked stays revoked: this browser comes back as another one. */
export function forgetInstallation(browser: NoteStore): void {
  browser.removeItem(installKey);
}
