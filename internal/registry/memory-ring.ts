/**
 * Who owns what among the instances of one service, in one process: the newest instance owns everything. Between
 * processes the registry spreads users over all instances by rendezvous.
 */
export class MemoryRing<Instance> {
  #current: Instance | undefined;
  readonly #callbacks = new Set<() => void>();

  /** Those that own something. */
  instances(): readonly Instance[] {
    return this.#current === undefined ? [] : [this.#current];
  }

  /** Who owns the key; undefined while there is nobody. */
  owner(_key: string): Instance | undefined {
    return this.#current;
  }

  /** Puts an instance, or nobody, in the place of the one before. */
  replace(instance: Instance | undefined): void {
    this.#current = instance;
    for (const callback of [...this.#callbacks]) callback();
  }

  /** Calls back after every change, until the returned function is called. */
  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }
}
