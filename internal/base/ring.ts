/** One instance of a service, as it has registered. Plain data. */
export interface Member {
  /** Unique among the instances of its service at a time; a restart may take the same one. */
  readonly name: string;
  /** Where other programs reach it; "" where it is bound directly. */
  readonly address: string;
  /** Which registration it is: numbers of one counter per service, so of one name the greater is newer. From 1. */
  readonly incarnation: number;
}

/** A registration as a key of maps: a restart of the same name is another. */
export function registrationKey({ name, incarnation }: Pick<Member, "name" | "incarnation">): string {
  return `${incarnation} ${name}`;
}

/**
 * What a process knows of a service's instances. `not_loaded`: nothing yet, so nothing may be concluded from their
 * absence. `stale`: what it knew last; the registry has lost what it held, and may get it back.
 */
export interface RingView {
  readonly state: "not_loaded" | "known" | "stale";
  /** Those that serve, in the order of their names. */
  readonly members: readonly Member[];
  /** The highest number of the service's counter that is known here; 0 before the first. Never goes back. */
  readonly number: number;
  /** How often a list read anew has shown that an instance registered, and went, of which nothing was heard. */
  readonly hidden: number;
}

/** The instances of a service, as a process mirrors them. */
export interface Ring {
  /** Another object after every change, the same one until then. */
  view(): RingView;
  /** Calls back after every change, until the returned function is called. */
  onChange(callback: () => void): () => void;
  /**
   * Lists again. Resolves to whether the registry has answered, within two seconds; the view is as new then. False at once
   * while it did not answer the time before.
   */
  listAgain(): Promise<boolean>;
}

/** A ring of one member that never changes: where all is one process. */
export function soleRing(member: Member): Ring {
  const view: RingView = { state: "known", members: [member], number: member.incarnation, hidden: 0 };
  return { view: () => view, onChange: () => () => {}, listAgain: async () => true };
}
