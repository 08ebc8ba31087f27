import { equalBytes } from "../../base/ids.ts";
import { sha256 } from "../../base/sha256.ts";
import { cellParts } from "../../wire/cell-parts.ts";
import type { EntryCellPut } from "../ports.ts";
import { isHashedItself, isVoid } from "./entry-cell.ts";
import { isTagged } from "./send-tag.ts";

const CLIENT_ID_BYTES = 16;

/**
 * Whether a cell is still what was appended, as far as it can say: LevelDB checks no checksum when it reads, so a bit
 * that flipped on the disk would be another word in a message. The tag in the key names sender and client_id, the hash
 * the text. About 3 µs.
 */
export function isSound({ tag, value }: Pick<EntryCellPut, "tag" | "value">): boolean {
  const parts = cellParts(value);
  if (!parts) return false;
  const { hash, clientId, body } = parts;
  const sender = Buffer.from(parts.sender).toString("latin1");
  // A void has neither; its key says how its hash begins.
  if (clientId.length !== (sender === "" ? 0 : CLIENT_ID_BYTES)) return false;
  if (!isTagged({ sender, clientId, hash }, tag)) return false;
  if (sender === "") return isVoid(body);
  // An erased one has none.
  return hash.length === 0 || !isHashedItself(body) || equalBytes(sha256(body, 32), hash);
}
