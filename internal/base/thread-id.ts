import { createHash } from "node:crypto";
import { sha256 } from "./sha256.ts";

/** The two users of a direct thread in byte order, as its id, its rows and its messages name them. */
export function participants(a: string, b: string): readonly [string, string] {
  return a < b ? [a, b] : [b, a];
}

/**
 * A direct thread's id: the first 16 bytes of SHA-256 over "direct\0" + smaller user + "\0" + larger, with the
 * lowest bit of byte 15 set (docs/design.md, section 12).
 */
export function directThreadId(a: string, b: string): Uint8Array {
  const [smaller, larger] = participants(a, b);
  const id = sha256(`direct\0${smaller}\0${larger}`, 16);
  id[15] = (id[15] ?? 0) | 1;
  return id;
}

/**
 * A group's id: the first 16 bytes of SHA-256 over "group\0" + creator + "\0" + request_id (16 random bytes), with the
 * lowest bit of byte 15 clear. So a repeated creation finds the same group.
 */
export function groupThreadId(creator: string, requestId: Uint8Array): Uint8Array {
  const digest = createHash("sha256").update(`group\0${creator}\0`).update(requestId).digest();
  const id = new Uint8Array(digest.subarray(0, 16));
  id[15] = (id[15] ?? 0) & 0xfe;
  return id;
}

/** Whether an id is that of a group: ids say the kind of their threads. */
export function isGroupThread(threadId: Uint8Array): boolean {
  return ((threadId[15] ?? 0) & 1) === 0;
}
