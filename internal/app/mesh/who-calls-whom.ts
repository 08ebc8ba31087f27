import type { ProgramWord } from "./program.ts";

/**
 * Which programs open links to a service (docs/design.md, section 3). Their certificates say who they are; others are
 * refused before a byte is read. What is missing here nobody dials.
 */
export const LINKS_FROM: Readonly<Partial<Record<ProgramWord, readonly string[]>>> = {
  push: ["gateway"],
  message: ["push", "thread"],
  channel: ["push", "message", "thread"],
  presence: ["push", "message", "thread", "presence"],
  thread: ["push"],
};

/** Who may call what clients call: the edge, which has asked nobody for a certificate of the mesh. */
export const CLIENTS_FROM: readonly string[] = ["envoy"];
