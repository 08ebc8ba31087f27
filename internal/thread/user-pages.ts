import { USER_ID_PATTERN } from "../base/ids.ts";
import { decodeToken, encodeToken, malformedToken, TokenKind } from "./opaque-token.ts";

/** Users of a page if the request does not say. */
export const DEFAULT_USER_PAGE = 200;

/** The user_id after which a page begins; "" for the first page. Throws TOKEN_MALFORMED. */
export function decodeUserPlace(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  const shape = { kind: TokenKind.userPage, numbers: 0, restBytes: "any" } as const;
  const { rest } = decodeToken(shape, bytes, "page_token");
  // Tokens of 043988e are filled up with zeros.
  const userId = new TextDecoder("latin1").decode(rest).replace(/\0+$/, "");
  if (!USER_ID_PATTERN.test(userId)) throw malformedToken("page_token");
  return userId;
}

/**
 * The page that `read` gives, of at most `pageSize` users or DEFAULT_USER_PAGE, and the token of the next one: empty if
 * there is none. `read` is asked for one more than the page has.
 */
export async function userPage<User>(
  pageSize: number,
  nameOf: (user: User) => string,
  read: (limit: number) => Promise<readonly User[]>,
): Promise<{ readonly users: readonly User[]; readonly nextPageToken: Uint8Array }> {
  const size = pageSize || DEFAULT_USER_PAGE;
  const found = await read(size + 1);
  const users = found.slice(0, size);
  const last = users.at(-1);
  if (found.length <= size || last === undefined) return { users, nextPageToken: new Uint8Array(0) };
  const place = new TextEncoder().encode(nameOf(last));
  return { users, nextPageToken: encodeToken(TokenKind.userPage, [], place) };
}
