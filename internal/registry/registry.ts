/** How long a lease lives after its last keepalive, in ms: so long may a process be silent before it is taken for gone. */
export const LEASE_MS = 10_000;

/** `leaving`: nothing new is allotted to it, but it is still there and may be routed to. */
export type ServingState = "serving" | "leaving";

/** What an instance says of itself. Plain data: it stands as JSON under its key. */
export interface Offer {
  /** The word of the service, as in proto, folders and keys. */
  readonly service: string;
  /** Unique among the instances of the service. */
  readonly name: string;
  /** Where other programs reach it. */
  readonly address: string;
  /** Which build it is. */
  readonly build: string;
  readonly state: ServingState;
  /** What the service adds, such as a push server's addresses for clients. */
  readonly details?: Readonly<Record<string, string>>;
}

/** A registration, as lists and watches tell of it. */
export interface Registered extends Offer {
  /** The number that it took of its service's counter when it registered: greater is newer. */
  readonly incarnation: number;
}

export interface Listing {
  readonly entries: readonly Registered[];
  /** The service's counter: the number taken last; 0 if none. */
  readonly counter: number;
  /** As of which change of the whole registry. */
  readonly revision: number;
  /**
   * Another one than in an earlier list of the same object: the registry was put back to an older state meanwhile, and has
   * lost registrations that this process knew of. Its revision and counter may have gone past the known ones since.
   */
  readonly history: number;
}

/** A change of one service, in the order in which changes happened. Load is none. */
export type RegistryChange =
  | { readonly kind: "put"; readonly entry: Registered; readonly revision: number }
  | {
      readonly kind: "removed";
      readonly name: string;
      readonly incarnation: number;
      readonly revision: number;
    };

export interface RegistryWatcher {
  changed(change: RegistryChange): void;
  /** The watch has ended, and changes may have been missed: list again, and watch from there. */
  ended(): void;
}

export interface Grant {
  readonly lease: string;
  readonly incarnation: number;
}

/**
 * The registry, as one process calls it: etcd, or memory that simulated processes share. A call that is not answered
 * rejects; callers bound it in time all the same. Whether it took effect is then unknown.
 */
export interface Registry {
  /**
   * In one transaction, only if there is no key of that service and name: takes the next number of the service's counter
   * and puts the key under a new lease. The number is above `above`, the highest that the caller has ever seen: a
   * registry that was put back to an older state does not give numbers out twice. "taken": the key is there.
   */
  register(offer: Offer, above: number): Promise<Grant | "taken">;
  /**
   * Resolves to whether the lease lives and holds the caller's key, with that incarnation. False, too, where a registry
   * that was put back has lost the key or holds another's.
   */
  keepAlive(lease: string): Promise<boolean>;
  /** Puts another state under the caller's key. False: the lease is gone. */
  setState(lease: string, state: ServingState): Promise<boolean>;
  /** Ends the lease, and with it its keys. */
  revoke(lease: string): Promise<void>;
  list(service: string): Promise<Listing>;
  /** Changes after `revision`; ends if they are not kept any more. The returned function stops it. */
  watch(service: string, revision: number, watcher: RegistryWatcher): () => void;
  /** Tells a load under the lease, in the service's own unit. Not news of the ring, and nobody is called back. */
  tellLoad(lease: string, load: number): Promise<void>;
  /** The loads told last, by name. */
  loads(service: string): Promise<ReadonlyMap<string, number>>;
}

/** The registry cannot be reached, or has not answered. `cause` is what its last try ended with, if it did. */
export class RegistryAway extends Error {
  constructor(cause?: unknown) {
    super("the registry does not answer", { cause });
    this.name = "RegistryAway";
  }
}
