import { type IDBPDatabase, openDB } from "idb";
import type { Change, Json, Storage } from "../storage.ts";

const VALUES = "values";

/** Storage in the browser: one database per user, one object store. */
export class IndexedDbStorage implements Storage {
  readonly #db: IDBPDatabase;
  /** The writes so far: each waits for the one before, so that none is there without it. */
  #last: Promise<void> = Promise.resolve();

  private constructor(db: IDBPDatabase) {
    this.#db = db;
  }

  /** Opens the database of this name, and makes it the first time. Rejects where the browser keeps none. */
  static async open(name: string): Promise<IndexedDbStorage> {
    const db = await openDB(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore(VALUES);
      },
      // Another tab wants a newer version: let it.
      blocking(_current, _blocked, event) {
        (event.target as IDBDatabase).close();
      },
    });
    return new IndexedDbStorage(db);
  }

  async load(): Promise<ReadonlyMap<string, Json>> {
    const transaction = this.#db.transaction(VALUES);
    const [keys, values] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
    return new Map(keys.map((key, at) => [String(key), values[at] as Json]));
  }

  write(changes: readonly Change[], options: { readonly durable?: boolean } = {}): Promise<void> {
    const written = this.#last.then(() => this.#apply(changes, options.durable ?? false));
    this.#last = written.catch(() => {});
    return written;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#db.close();
  }

  async #apply(changes: readonly Change[], durable: boolean): Promise<void> {
    const durability = durable ? "strict" : "relaxed";
    const transaction = this.#db.transaction(VALUES, "readwrite", { durability });
    for (const { key, value } of changes) {
      void (value === undefined ? transaction.store.delete(key) : transaction.store.put(value, key));
    }
    await transaction.done;
  }
}
