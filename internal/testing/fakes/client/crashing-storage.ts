import type { FileStorage } from "../../../../client/storage/file-storage.ts";
import type { Change, Json, Storage } from "../../../../client/storage/storage.ts";

/** Changes that were given and are not yet being written. */
interface Waiting {
  readonly changes: readonly Change[];
  readonly durable: boolean;
  readonly resolve: () => void;
  readonly reject: (fault: Error) => void;
}

/** Storage in a file that stops taking anything from one moment on, as when its process is killed. */
export class CrashingStorage implements Storage {
  readonly #inner: FileStorage;
  /** Lost at a crash. */
  #waiting: Waiting[] = [];
  /** The write under way, which a crash does not undo: the system has it. */
  #writing: Promise<void> | undefined;
  #isCrashed = false;

  constructor(inner: FileStorage) {
    this.#inner = inner;
  }

  load(): Promise<ReadonlyMap<string, Json>> {
    return this.#inner.load();
  }

  write(changes: readonly Change[], options: { readonly durable?: boolean } = {}): Promise<void> {
    if (this.#isCrashed) return Promise.reject(crashed());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ changes, durable: options.durable ?? false, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  /** What waits is never written. Resolves when what was being written is, and the file is let go of. */
  async crash(): Promise<void> {
    this.#isCrashed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(crashed());
    await this.#writing;
    await this.#inner.close();
  }

  /** In order; after a crash nothing is left to do. */
  async close(): Promise<void> {
    if (this.#isCrashed) return;
    await this.#writing;
    await this.#inner.close();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      const changes = batch.flatMap((each) => each.changes);
      const durable = batch.some((each) => each.durable);
      const fault = await this.#inner.write(changes, { durable }).then(() => undefined, asError);
      // One who is killed does not hear that its last write was done.
      const verdict = this.#isCrashed ? crashed() : fault;
      for (const { resolve, reject } of batch) verdict ? reject(verdict) : resolve();
    }
    this.#writing = undefined;
  }
}

function crashed(): Error {
  return new Error("the client was killed");
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
