import type { Change, Json, Storage } from "../storage/storage.ts";

/** The only object store: keys and values of Storage as they are. */
const VALUES = "values";
/** How long, in ms, a browser that kept nothing is left in peace before it is given everything again. */
const RETRY_MS = 2_000;

/** Told whether what a storage was given is kept by the browser. */
export type KeptListener = (isKept: boolean) => void;

/**
 * Storage in the browser: one database per user, one object store. What it holds stands in memory too (a few MiB, which
 * its client bounds): when a person clears the site's data under an open page, the browser closes the database and
 * deletes it, and this opens it again and fills it anew, at once and by itself.
 */
export class IndexedDbStorage implements Storage {
  readonly #name: string;
  readonly #onKept: KeptListener | undefined;
  /** Undefined from when the browser has closed it until it is opened again. */
  #db: IDBDatabase | undefined;
  /** What the database holds, or is to hold. */
  readonly #values: Map<string, Json>;
  /** The database may lack some of it: the next write brings all. */
  #isBehind = false;
  #isKept = true;
  /** By performance.now(), while #isKept is false. */
  #retryAtMs = 0;
  #isClosed = false;
  /** The writes so far: each waits for the one before, so that none is there without it. */
  #last: Promise<void> = Promise.resolve();

  private constructor(
    name: string,
    db: IDBDatabase,
    values: Map<string, Json>,
    onKept: KeptListener | undefined,
  ) {
    this.#name = name;
    this.#values = values;
    this.#onKept = onKept;
    this.#use(db);
  }

  /**
   * Opens the database of this name, and makes it the first time. Rejects where the browser keeps none.
   *
   * A write rejects when the browser does not keep it. With `onKept` it does not: it is held in memory, `onKept` is
   * called with false, and each later write tries to bring all that is missing, until `onKept` is called with true. The
   * caller then owes its user the word that nothing is remembered.
   */
  static async open(name: string, onKept?: KeptListener): Promise<IndexedDbStorage> {
    const db = await openDatabase(name);
    return new IndexedDbStorage(name, db, await valuesIn(db), onKept);
  }

  /** From memory. Never rejects. */
  load(): Promise<ReadonlyMap<string, Json>> {
    return Promise.resolve(new Map(this.#values));
  }

  /** All of the changes or none. `durable`: resolves when they are on the disk, which takes longer. See `open`. */
  write(changes: readonly Change[], options: { readonly durable?: boolean } = {}): Promise<void> {
    const written = this.#last.then(() => this.#write(changes, options.durable ?? false));
    this.#last = written.catch(() => {});
    return written;
  }

  /** After the writes so far. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
    this.#db?.close();
  }

  async #write(changes: readonly Change[], durable: boolean): Promise<void> {
    try {
      if (!this.#isKept && performance.now() < this.#retryAtMs)
        throw new Error("the browser kept nothing just now");
      await this.#put(changes, durable).catch((fault) => {
        if (this.#db) throw fault;
        return this.#put(changes, durable); // It was closed meanwhile: once more, in one that is opened anew.
      });
    } catch (fault) {
      if (!this.#onKept) throw fault;
      this.#isBehind = true;
      this.#forgets();
    }
    apply(this.#values, changes);
  }

  /** Kept when the transaction is complete, and not when its requests are. */
  async #put(changes: readonly Change[], durable: boolean): Promise<void> {
    const db = this.#db ?? (await this.#reopen());
    const isWhole = this.#isBehind;
    await new Promise<void>((resolve, reject) => {
      const durability = durable || isWhole ? "strict" : "relaxed";
      const transaction = transactionOf(db, { durability }, () => this.#lost(db));
      transaction.oncomplete = () => resolve();
      // A request that fails aborts its transaction; so does a disk that is full at the commit.
      transaction.onabort = () => {
        if (!transaction.error || transaction.error.name === "AbortError") this.#lost(db); // By closing the database.
        reject(transaction.error ?? new Error("the database was closed"));
      };
      const store = transaction.objectStore(VALUES);
      if (isWhole) {
        store.clear();
        for (const [key, value] of this.#values) store.put(value, key);
      }
      for (const { key, value } of changes) {
        if (value === undefined) store.delete(key);
        else store.put(value, key);
      }
    });
    if (this.#db !== db) return; // Closed since: the write that this has asked for brings all again.
    this.#isBehind = false;
    if (!this.#isKept) this.#onKept?.(true);
    this.#isKept = true;
  }

  /** Makes it anew where it was deleted; empty then, and #isBehind has been set. */
  async #reopen(): Promise<IDBDatabase> {
    const db = await openDatabase(this.#name);
    this.#use(db);
    return db;
  }

  #use(db: IDBDatabase): void {
    this.#db = db;
    // A person has cleared the site's data, or the browser has lost the database.
    db.onclose = () => this.#lost(db);
    // Somebody wants it gone, or newer: let it.
    db.onversionchange = () => {
      db.close();
      this.#lost(db);
    };
  }

  /** The database is not to be used any more, and what is in it may be gone: all of it goes into the next one. */
  #lost(db: IDBDatabase): void {
    if (this.#db !== db) return;
    this.#db = undefined;
    this.#isBehind = true;
    if (!this.#isClosed) this.write([]).catch(() => {}); // The next write says what is wrong.
  }

  /** The browser kept nothing: says so once, and gives it a while before it is asked again. */
  #forgets(): void {
    if (performance.now() >= this.#retryAtMs) this.#retryAtMs = performance.now() + RETRY_MS;
    if (this.#isKept) this.#onKept?.(false);
    this.#isKept = false;
  }
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(VALUES);
  return await outcome(request);
}

async function valuesIn(db: IDBDatabase): Promise<Map<string, Json>> {
  const store = db.transaction(VALUES).objectStore(VALUES);
  const [keys, values] = await Promise.all([outcome(store.getAllKeys()), outcome(store.getAll())]);
  return new Map(keys.map((key, at) => [String(key), values[at] as Json]));
}

/** Throws as the browser does where the database is closed, which it may say before it tells so by an event. */
function transactionOf(
  db: IDBDatabase,
  options: IDBTransactionOptions,
  onClosed: () => void,
): IDBTransaction {
  try {
    return db.transaction(VALUES, "readwrite", options);
  } catch (fault) {
    onClosed();
    throw fault;
  }
}

function apply(values: Map<string, Json>, changes: readonly Change[]): void {
  for (const { key, value } of changes) {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
}

/** What came of a request. */
function outcome<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
