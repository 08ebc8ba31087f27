import { hasVisible } from "../base/visible.ts";
import type { Profile } from "./ports.ts";

const MAX_NAME = 100;
const MAX_PICTURE_BYTES = 2_048;

/** Control characters, line ends and marks that reverse the direction of what follows. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Whether people may be called so. */
export function isDisplayName(text: string): boolean {
  return text !== "" && displayName(text) === text;
}

/** Whether a picture may be shown: https, at most 2,048 bytes, of a host that is named or below one that is starred. */
export function isAllowedPicture(url: string, hosts: readonly string[]): boolean {
  const host = hostOf(url);
  return (
    host !== undefined &&
    hosts.some((allowed) => (allowed.startsWith("*.") ? host.endsWith(allowed.slice(1)) : host === allowed))
  );
}

/** What a token's claims say of a profile: what cannot be a name or a picture is none, what is not said stays. */
export function profileOf(said: { readonly name?: string; readonly picture?: string }): Partial<Profile> {
  const { name, picture } = said;
  return {
    ...(name === undefined ? {} : { displayName: displayName(name) }),
    ...(picture === undefined ? {} : { pictureUrl: hostOf(picture) === undefined ? "" : picture }),
  };
}

function displayName(text: string): string {
  const line = text.toWellFormed().replace(UNSEEN, " ").replace(/\s+/g, " ").trim();
  const name = [...line].slice(0, MAX_NAME).join("").trim();
  return hasVisible(name) ? name : "";
}

/** The host of a URL that a picture may have anywhere; undefined for others. */
function hostOf(url: string): string | undefined {
  if (url.length > MAX_PICTURE_BYTES || !/^https:\/\/[!-~]+$/.test(url) || !URL.canParse(url))
    return undefined;
  const { hostname, username, password, port } = new URL(url);
  return username || password || port ? undefined : hostname;
}
