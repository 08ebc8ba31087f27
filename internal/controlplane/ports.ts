/** An instance of a service, as the registry has it. */
export interface Place {
  readonly name: string;
  /** Greater is newer, among the instances of a service. */
  readonly incarnation: number;
  readonly state: "serving" | "leaving";
  /** `grpc` and `web`: `host:port` of its listeners for clients. */
  readonly details?: Readonly<Record<string, string>>;
}

/** The instances of one service. A mirror of the registry is one. */
export interface Places {
  /**
   * `not_loaded`: the registry has not answered yet, and nothing is concluded. `stale`: it went back to an older state,
   * and what it has lost is kept for a while.
   */
  view(): { readonly state: "known" | "stale" | "not_loaded"; readonly members: readonly Place[] };
  /** Calls back after every change, until the returned function is called. */
  onChange(callback: () => void): () => void;
}
