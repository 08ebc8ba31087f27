import { hasVisible } from "./visible.ts";

const MAX_CHARACTERS = 100;

/** Control characters, line ends and marks that reverse the direction of what follows. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** What isShownName asks, in words for people. */
export const SHOWN_NAME_RULE =
  "1–100 characters, one of them visible; no control characters, line ends or marks that reverse the direction, no blanks at the ends, no two together";

/**
 * Whether a person or a group may be called so: names stand in one line beside others. New names alone are asked: what
 * an older version took is shown as it is.
 */
export function isShownName(text: string): boolean {
  return text !== "" && shownName(text) === text;
}

/** The name that a text of somebody else's makes; "" for none. */
export function shownName(text: string): string {
  const line = text.toWellFormed().replace(UNSEEN, " ").replace(/\s+/g, " ").trim();
  const name = [...line].slice(0, MAX_CHARACTERS).join("").trim();
  return hasVisible(name) ? name : "";
}
