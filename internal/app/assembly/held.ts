import type { ServeLink } from "../../peers/link-listener.ts";

/** A service with its place in the registry, in a program that holds one. */
export interface Held<Service> {
  readonly service: Service;
  /** Serves a link that another program has opened. */
  readonly serve: ServeLink;
  /** Leaves in good order. Afterwards the listener may stop, as soon as it has let out what waits. */
  leave(): Promise<void>;
}

/** After an instance is `leaving` others have so long to hear of it, in ms. */
export const HEARD_MS = 1_000;
