import type { Ground } from "./ground.ts";

/** What befalls a mesh under a crowd, and how it is seen that it did. */
export interface Fault {
  /** Ends the sentence "people lose nothing when …". */
  readonly title: string;
  /** Does it, and resolves when what was hurt serves again. */
  befall(ground: Ground): Promise<void>;
  /** What of the mesh it must change, else it did not bite: in words, with how often. */
  bites(ground: Ground): Promise<Readonly<Record<string, number>>>;
}
