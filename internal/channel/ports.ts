import type { Publication, Topic } from "../base/publication.ts";

/** A push server, as the channel service calls it. */
export interface Link {
  /** The push server's name in the registry. */
  readonly name: string;
  /** One publication for `topics`, the ones of it that this link subscribes to. A throw loses the link. */
  deliver(publication: Publication, topics: readonly Topic[]): void;
  /** The instance has closed the link (it could not keep up): attach again, subscribe again, compare. */
  closed(): void;
}

/** The registry, as a channel instance needs it. */
export interface Revisions {
  /** The highest registry revision that this process has heard of; 0 before the first. */
  readonly revision: number;
}
