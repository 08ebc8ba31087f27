import { rendezvousOwner } from "../base/rendezvous.ts";
import type { Servers } from "./ports.ts";

/**
 * Which threads are this server's, by the ring of message servers. For speed only: any server may serve any thread, and
 * the store's check-and-put alone keeps them in order.
 */
export class ThreadOwners {
  readonly #servers: Servers | undefined;

  /** Without `servers` this one is alone. */
  constructor(servers: Servers | undefined) {
    this.#servers = servers;
  }

  /** Whether no other server changes threads. */
  get isAlone(): boolean {
    return !this.#servers;
  }

  /** How many servers there are, at least 1: for what a user may take of all of them. */
  get count(): number {
    return Math.max(1, this.#servers?.ring.view().members.length ?? 1);
  }

  /** Whether the sends of the thread (in hex) go here. While the ring is not loaded nothing is known to have moved. */
  owns(thread: string): boolean {
    if (!this.#servers) return true;
    const { ring, name } = this.#servers;
    const { state, members } = ring.view();
    return state === "not_loaded" || rendezvousOwner(members, thread)?.name === name;
  }

  /** Calls back whenever threads may have moved, until the returned function is called. */
  onMoved(callback: () => void): () => void {
    return this.#servers?.ring.onChange(callback) ?? (() => {});
  }
}
