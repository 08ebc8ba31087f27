import { hex } from "../../base/ids.ts";
import type { VersionedCell } from "../ports.ts";
import { TAG_BYTES } from "./send-tag.ts";

/**
 * The cell that says that a user sealed a send in a thread in which it may not send: family `x` of the row of receipts,
 * qualifier user, a NUL, `v`, the tag of the send. One for each, so that none is lost where several servers write at a
 * time. Earlier releases wrote one for all of a user's, with the tags side by side as its value.
 */
export function sealCell(userId: string, tag: Uint8Array): VersionedCell {
  return { qualifier: Buffer.concat([sealsOfUser(userId), tag]), timestamp: 1, value: new Uint8Array(0) };
}

/** What the qualifiers of a user's seals begin with. */
export function sealsOfUser(userId: string): Uint8Array {
  return Buffer.from(`${userId}\0v`, "latin1");
}

/** The tags, in hex, of what a user sealed, by its cells. */
export function sealedTags(cells: readonly VersionedCell[], userId: string): ReadonlySet<string> {
  const { length } = sealsOfUser(userId);
  const tags = new Set<string>();
  for (const { qualifier, value } of cells) {
    if (qualifier.length > length) tags.add(hex(qualifier.subarray(length)));
    for (let at = 0; at + TAG_BYTES <= value.length; at += TAG_BYTES)
      tags.add(hex(value.subarray(at, at + TAG_BYTES)));
  }
  return tags;
}
