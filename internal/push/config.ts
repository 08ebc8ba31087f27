/** What a push server is told about itself. Everything else is fixed: see limits.ts. */
export interface PushConfig {
  /** Its name in the registry, and in the tickets for it. */
  readonly name: string;
  /** Streams it holds at most; beyond it new ones are refused, OVERLOADED. */
  readonly capacity: number;
  /** Streams of one user at most, those that have not opened among them; STREAMS_PER_USER if left out. */
  readonly streamsPerUser?: number;
}
