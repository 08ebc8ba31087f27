import type { Bites } from "../network/sim-link.ts";

/** From so many seeds on a range must reach every branch: two rounds of what the last digits of seeds differ in. */
export const REACHING_SEEDS = 20;

/** Branches of the protocol that a range of REACHING_SEEDS must reach (docs/design.md, sections 4 to 8 and 13). */
const BRANCHES: readonly string[] = [
  // Publish and repair.
  "channel.publish exact",
  "channel.publish broadcast", // The owner is sure, and the number is stale.
  "channel.publish unsure", // The owner's lease may be over, or it leaves.
  "channel.publish PEER_UNAVAILABLE",
  "channel.broadcast broadcast",
  "channel.broadcast unsure",
  "channel.hint exact", // What was broadcast is repaired.
  "channel.hint PEER_UNAVAILABLE",
  // Ring changes at a push server.
  "topic marked",
  "topic compared",
  "topic hinted",
  "topic lost",
  "marked topics compared before all have acknowledged",
  // Append.
  "append",
  "append: false",
  "append: unclear",
  "message.send answered",
  "message.send STORE_UNAVAILABLE",
  "message.send PEER_UNAVAILABLE",
  "message.send as a later attempt",
  "touch",
  "touch of a row whose touch had grown old",
  // Sync, and what a stream tells.
  "thread.sync of everything",
  "thread.sync since a cursor",
  "told accepted",
  "told accepted: a repeat",
  "told behind",
  "told caughtUp",
  "told draining SHUTDOWN",
  "told entry",
  "told presence OFFLINE",
  "told presence ONLINE",
  "told presence UNKNOWN",
  "told receipt",
  "told refused",
  "told threadChanged",
  "told typing",
  // What clients do of themselves.
  "send again",
  "asked ListEntries",
  "asked ListPresence",
  "asked ListReceipts",
  "asked OpenSession",
  "asked Sync", // Ten minutes after the last one.
  // Confirmed by all, and learning.
  "presence.blockChanged answered",
  "presence.membersChanged answered",
  "presence.membersChanged PEER_UNAVAILABLE",
  "presence.visibilityChanged answered",
  "presence.presencesOf answered",
  "presence learns",
  // The registry.
  "mirror not_loaded",
  "mirror stale",
  "lease lost",
];

/** The branches that were not reached. */
export function unreached(reached: Bites): string[] {
  return BRANCHES.filter((branch) => !reached.has(branch));
}
