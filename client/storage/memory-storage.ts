import type { Change, Json, Storage } from "./storage.ts";

/** Storage that forgets with the process. For tests and for programs that need no more. */
export class MemoryStorage implements Storage {
  readonly #values = new Map<string, Json>();

  load(): Promise<ReadonlyMap<string, Json>> {
    return Promise.resolve(new Map(this.#values));
  }

  write(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes) {
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, structuredClone(value) as Json);
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
