import { MemoryStorage } from "../../../../client/storage/memory-storage.ts";
import type { Change, Json } from "../../../../client/storage/storage.ts";

/** Storage whose writes fail, or wait, for as long as a test says; it notes what it was asked for. */
export class HeldStorage extends MemoryStorage {
  /** The keys of each write, in order. */
  readonly asked: string[][] = [];
  isFull = false;
  /** How many of the next writes fail. */
  failures = 0;
  isClosed = false;
  /** What a `load` waits for. */
  loading: Promise<unknown> = Promise.resolve();
  #gate: Promise<void> | undefined;

  override async load(): Promise<ReadonlyMap<string, Json>> {
    await this.loading;
    return await super.load();
  }

  override async write(changes: readonly Change[]): Promise<void> {
    this.asked.push(changes.map(({ key }) => key));
    await this.#gate;
    this.failures -= 1;
    if (this.isFull || this.failures >= 0) throw new Error("disk full");
    await super.write(changes);
  }

  override async close(): Promise<void> {
    this.isClosed = true;
  }

  /** Writes asked for from now on wait until what is returned is called. */
  hold(): () => void {
    let release = () => {};
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      this.#gate = undefined;
      release();
    };
  }
}
