import { USER_ID_PATTERN } from "../../../internal/base/ids.ts";
import type { NoteStore } from "./notes.ts";

/**
 * Who is signed in at this tab. Kept for as long as the tab is open, reloads included, and no longer: a token in
 * localStorage would be there for the next person at this machine.
 */
export interface Identity {
  readonly userId: string;
  /** The user token. */
  readonly token: string;
  /** Signed in by name: when the token runs out, another is to be had in the same way. */
  readonly isByName: boolean;
}

const identityKey = "heddle.identity";
const nameKey = "heddle.name";

/** The identity of this tab, if somebody is signed in. */
export function storedIdentity(storage: NoteStore): Identity | undefined {
  try {
    const value: unknown = JSON.parse(storage.getItem(identityKey) ?? "null");
    return isIdentity(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps who is signed in at this tab; `undefined` forgets it, as at sign-out. */
export function storeIdentity(storage: NoteStore, identity: Identity | undefined): void {
  if (identity) storage.setItem(identityKey, JSON.stringify(identity));
  else storage.removeItem(identityKey);
}

/** The name last used in this browser, to be offered again; "" if none. */
export function lastName(storage: NoteStore): string {
  return storage.getItem(nameKey) ?? "";
}

/** Keeps the name to be offered at the next sign-in: it outlives the tab. */
export function storeLastName(storage: NoteStore, name: string): void {
  storage.setItem(nameKey, name);
}

/** A typed name as a user id: spaces around it are forgiven; capitals count. Undefined if it cannot be one. */
export function userIdOf(typed: string): string | undefined {
  const id = typed.trim();
  return USER_ID_PATTERN.test(id) ? id : undefined;
}

/** The rule for names, as people read it. */
export const NAME_RULE = "A name has 1 to 255 letters a–z or A–Z, digits and marks, without spaces.";

/**
 * What a token says of itself in the claim that names the user. The server checks it; here it only names the user.
 * Undefined if it is no token.
 */
export function identityOf(token: string, userClaim = "sub"): Identity | undefined {
  const text = token.trim().replace(/^Bearer\s+/i, "");
  try {
    const payload = text.split(".")[1] ?? "";
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const userId = (claims as Record<string, unknown> | null)?.[userClaim];
    return typeof userId === "string" && USER_ID_PATTERN.test(userId)
      ? { userId, token: text, isByName: false }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The claim that names the user on this server: `sub`, unless it is set to another one. Never rejects. */
export async function userClaim(fetcher: typeof fetch = fetch): Promise<string> {
  try {
    const response = await fetcher("/page.json", { signal: AbortSignal.timeout(10_000) });
    const { user_claim: claim }: { user_claim?: unknown } = await response.json();
    return typeof claim === "string" ? claim : "sub";
  } catch {
    return "sub";
  }
}

/** Signing in by name is a door of the development profile only: `unavailable` elsewhere. */
export type NameSignIn = Identity | "unavailable";

/**
 * Signs in by name (docs/design.md, section 12, `POST /dev/tokens`). Rejects with an Error that a person can read if
 * the server does not answer within 10 s or refuses.
 */
export async function signInByName(userId: string, fetcher: typeof fetch = fetch): Promise<NameSignIn> {
  const response = await askForTokens([userId], fetcher);
  if (response.status === 404) return "unavailable";
  const answer: Partial<TokensAnswer> = (await response.json().catch(() => undefined)) ?? {};
  if (!response.ok) {
    throw new Error(`The server signs nobody in: ${answer.error ?? `status ${response.status}`}.`);
  }
  const token = answer.tokens?.[userId];
  if (typeof token !== "string") throw new Error("The server's answer to the sign-in makes no sense.");
  return { userId, token, isByName: true };
}

interface TokensAnswer {
  readonly tokens: Readonly<Record<string, unknown>>;
  readonly error: string;
}

async function askForTokens(users: readonly string[], fetcher: typeof fetch): Promise<Response> {
  try {
    return await fetcher("/dev/tokens", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ users }),
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    throw new Error("The server does not answer. Is it running?", { cause });
  }
}

function isIdentity(value: unknown): value is Identity {
  const { userId, token, isByName } = (value ?? {}) as Partial<Record<keyof Identity, unknown>>;
  if (typeof userId !== "string" || typeof token !== "string" || typeof isByName !== "boolean") return false;
  return USER_ID_PATTERN.test(userId) && token !== "";
}
