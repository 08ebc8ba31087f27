import { USER_ID_PATTERN, USER_ID_RULE } from "../../../internal/base/ids.ts";
import { ChatError, EXIT } from "../exit-code.ts";

/** Marks a group: `+weekend`. The words `group:weekend` and `user:bob` say the same of any name. */
export const GROUP = "+";
const GROUP_WORD = "group:";
const USER_WORD = "user:";

/** What a word names: a user by id, or a group by what stands behind its mark. */
export type Named =
  | { readonly kind: "user"; readonly userId: string }
  | { readonly kind: "group"; readonly name: string };

/** Reads `bob`, `user:bob`, `+weekend` or `group:weekend`. Throws ChatError for what can be neither. */
export function named(word: string): Named {
  const mark = [GROUP_WORD, GROUP].find((each) => word.startsWith(each));
  if (mark === undefined) return { kind: "user", userId: userNamed(word) };
  const name = word.slice(mark.length);
  if (name === "") throw new ChatError(EXIT.wrongUse, `"${word}" names no group; a group is ${GROUP}name`);
  return { kind: "group", name };
}

/** The user that a word names where only a user can stand: `bob` or `user:bob`. Throws ChatError for what is none. */
export function userNamed(word: string): string {
  const userId = word.startsWith(USER_WORD) ? word.slice(USER_WORD.length) : word;
  if (USER_ID_PATTERN.test(userId)) return userId;
  throw new ChatError(EXIT.wrongUse, `a user is ${USER_ID_RULE}, not "${word}"; a group is ${GROUP}name`);
}

/** A user as a person can type it: with `user:` where the id alone would be read as something else. */
export function wordFor(userId: string): string {
  return /^([+/-]|user:|group:)/.test(userId) ? `${USER_WORD}${userId}` : userId;
}
