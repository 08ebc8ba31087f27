/** A value as JSON has it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Sets a key, or removes it where value is undefined. */
export interface Change {
  readonly key: string;
  readonly value: Json | undefined;
}

/**
 * Where a client keeps what must outlive it: outbox, cursor, what it holds of each thread, recent entries. A map
 * from short keys to JSON, written in order. The client bounds what it keeps (a few MiB); the storage need not.
 * Implementations: MemoryStorage, FileStorage (client/storage/file-storage.ts), IndexedDbStorage (client/web/indexed-db.ts);
 * all pass client/storage/storage.suite.ts.
 */
export interface Storage {
  /** Everything kept, read once at the start. */
  load(): Promise<ReadonlyMap<string, Json>>;
  /**
   * Applies the changes as one: after a crash all of them are there or none. Writes are applied in the order of the
   * calls, so a later one is never there without an earlier one. Resolves when they survive a crash of the process,
   * and, with `durable`, a loss of power. Rejects when they cannot be kept; the client then says so and goes on.
   */
  write(changes: readonly Change[], options?: { readonly durable?: boolean }): Promise<void>;
  /** Finishes pending writes and lets go. */
  close(): Promise<void>;
}
