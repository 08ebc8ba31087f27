import type { Change, Json, Storage } from "../storage/storage.ts";

const VALUES = "values";

/** Storage in the browser: one database per user, one object store. */
export class IndexedDbStorage implements Storage {
  readonly #db: IDBDatabase;
  /** The writes so far: each waits for the one before, so that none is there without it. */
  #last: Promise<void> = Promise.resolve();

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  /** Opens the database of this name, and makes it the first time. Rejects where the browser keeps none. */
  static async open(name: string): Promise<IndexedDbStorage> {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(VALUES);
    const db = await outcome(request);
    // Another tab wants a newer version, or the database gone: let it.
    db.onversionchange = () => db.close();
    return new IndexedDbStorage(db);
  }

  async load(): Promise<ReadonlyMap<string, Json>> {
    const store = this.#db.transaction(VALUES).objectStore(VALUES);
    const [keys, values] = await Promise.all([outcome(store.getAllKeys()), outcome(store.getAll())]);
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

  /** Kept when the transaction is complete, and not when its requests are. */
  #apply(changes: readonly Change[], durable: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const durability = durable ? "strict" : "relaxed";
      const transaction = this.#db.transaction(VALUES, "readwrite", { durability });
      transaction.oncomplete = () => resolve();
      // A request that fails aborts its transaction; so does a disk that is full at the commit.
      transaction.onabort = () => reject(transaction.error);
      const store = transaction.objectStore(VALUES);
      for (const { key, value } of changes) {
        if (value === undefined) store.delete(key);
        else store.put(value, key);
      }
    });
  }
}

/** What came of a request. */
function outcome<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
