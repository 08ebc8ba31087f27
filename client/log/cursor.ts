import { fromHex, hex } from "../../internal/base/ids.ts";
import type { Keeper } from "../storage/keeper.ts";
import type { Json } from "../storage/storage.ts";

const KEY = "cursor";

/**
 * How far this device is caught up, in the server's own opaque words. Kept together with the heads of all rows that
 * came before it, never ahead of them (docs/design.md, section 6).
 */
export class Cursor {
  readonly #keeper: Keeper;
  #bytes: Uint8Array = new Uint8Array();

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  load(kept: ReadonlyMap<string, Json>): void {
    const text = kept.get(KEY);
    if (typeof text === "string") this.#bytes = fromHex(text);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Whether this device was never caught up. */
  get isFirst(): boolean {
    return this.#bytes.length === 0;
  }

  /** Takes the cursor of a `caught_up` or of a sync's last page. */
  set(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#bytes = bytes;
    this.#keeper.mark(KEY, () => hex(this.#bytes));
  }

  /** Forgets it: the next open or sync names all threads. */
  drop(): void {
    this.#bytes = new Uint8Array();
    this.#keeper.mark(KEY, () => undefined);
  }
}
