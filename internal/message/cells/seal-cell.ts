import { equalBytes } from "../../base/ids.ts";
import type { VersionedCell } from "../ports.ts";
import { TAG_BYTES } from "./send-tag.ts";

/**
 * The cell that says what a user sealed in a thread in which it may not send: family `x` of the row of receipts,
 * qualifier user, a NUL, `v`. The value is the tags of the sends, side by side; the timestamp is how many, so that the
 * most stay.
 */
export function sealCell(userId: string, tags: readonly Uint8Array[]): VersionedCell {
  return { qualifier: qualifierOf(userId), timestamp: tags.length, value: Buffer.concat(tags) };
}

/** The tags of what a user sealed, by the cells of that family. */
export function tagsOf(cells: readonly VersionedCell[], userId: string): readonly Uint8Array[] {
  const qualifier = qualifierOf(userId);
  const value = cells.find((cell) => equalBytes(cell.qualifier, qualifier))?.value ?? new Uint8Array(0);
  const count = Math.floor(value.length / TAG_BYTES);
  return Array.from({ length: count }, (_, at) => value.subarray(at * TAG_BYTES, (at + 1) * TAG_BYTES));
}

function qualifierOf(userId: string): Uint8Array {
  return Buffer.from(`${userId}\0v`, "latin1");
}
