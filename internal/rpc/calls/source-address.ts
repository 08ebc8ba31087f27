import { isIP } from "node:net";

/** No proxy is believed. */
export const NO_PROXIES: ReadonlySet<string> = new Set();

/** `::ffff:1.2.3.4`, as a listener of both families calls 1.2.3.4. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * The address that a call comes from. Only a proxy that the settings name (`proxies`) is believed about the address in
 * front of it: `forwardedFor`, its `x-forwarded-for`, is read from the right, each named proxy vouching for the one to
 * its left, so that what a client writes itself is never reached. "" where the peer is not known.
 */
export function sourceOf(
  peer: string | undefined,
  forwardedFor: string | undefined,
  proxies: ReadonlySet<string>,
): string {
  let source = plainAddress(peer ?? "");
  const forwarded = forwardedFor?.split(",").map((part) => plainAddress(part.trim())) ?? [];
  while (proxies.has(source)) {
    const before = forwarded.pop();
    if (!before) return source;
    source = before;
  }
  return source;
}

/** The address without port, brackets and zone; "" if it is none. */
export function plainAddress(text: string): string {
  const unwrapped = text.replace(/^(ipv4|ipv6):/, "").replace(/%[^\]:]*/, "");
  const host = isIP(unwrapped)
    ? unwrapped
    : unwrapped.replace(/^\[(.*)\](:\d+)?$/, "$1").replace(/^([\d.]+):\d+$/, "$1");
  const plain = host.replace(MAPPED, "$1");
  return isIP(plain) ? plain.toLowerCase() : "";
}
