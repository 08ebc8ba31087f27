import { hex } from "../../internal/base/ids.ts";
import type { Digest } from "../model/digest.ts";

/**
 * A direct thread's id in hex: the first 16 bytes of SHA-256 over "direct\0" + smaller user + "\0" + larger, with the
 * lowest bit of byte 15 set (docs/design.md, section 12). Made here too, so that a conversation can begin offline.
 */
export async function directThreadId(a: string, b: string, digest: Digest): Promise<string> {
  const [smaller, larger] = a < b ? [a, b] : [b, a];
  const text = new TextEncoder().encode(`direct\0${smaller}\0${larger}`);
  const id = (await digest(text)).slice(0, 16);
  id[15] = (id[15] ?? 0) | 1;
  return hex(id);
}
