import { ClassicLevel } from "classic-level";

/** Bytes of one synced batch. */
const BATCH_BYTES = 2 * 1024 * 1024;

type Put = { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array };

/** A folder of LevelDB that is written once, cell by cell, and is whole on the disk when it is closed. */
export class NewLog {
  readonly #db: ClassicLevel<Uint8Array, Uint8Array>;
  #batch: Put[] = [];
  #bytes = 0;

  /** `path` must not be there yet. */
  constructor(path: string) {
    this.#db = new ClassicLevel(path, {
      keyEncoding: "view",
      valueEncoding: "view",
      errorIfExists: true,
    });
  }

  /** Of two puts of a key the later counts. Rejects as LevelDB does. */
  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#batch.push({ type: "put", key, value });
    this.#bytes += key.length + value.length;
    if (this.#bytes >= BATCH_BYTES) await this.#flush();
  }

  /** Writes what is left, and closes. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#db.close();
  }

  /** Closes without what is left. */
  async abandon(): Promise<void> {
    if (this.#db.status !== "closed") await this.#db.close();
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    await this.#db.batch(batch, { sync: true });
  }
}
