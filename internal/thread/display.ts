import { shownName } from "../base/shown-name.ts";
import type { Profile } from "./ports.ts";

const MAX_PICTURE_BYTES = 2_048;

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
    ...(name === undefined ? {} : { displayName: shownName(name) }),
    ...(picture === undefined ? {} : { pictureUrl: hostOf(picture) === undefined ? "" : picture }),
  };
}

/** The host of a URL that a picture may have anywhere; undefined for others. */
function hostOf(url: string): string | undefined {
  if (url.length > MAX_PICTURE_BYTES || !/^https:\/\/[!-~]+$/.test(url) || !URL.canParse(url))
    return undefined;
  const { hostname, username, password, port } = new URL(url);
  return username || password || port ? undefined : hostname;
}
