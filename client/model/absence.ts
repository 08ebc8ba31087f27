import type { Entry, Lost } from "./model.ts";

/**
 * Whether the user was no member of the group between two entries that it may see, one after the other: the later one
 * brought it in again, and does not follow the other. Voids, which are not shown, count as entries.
 */
export function isAbsence(before: Pick<Entry, "seq">, { seq, body }: Entry, userId: string): boolean {
  const brings = body.kind === "member_change" && body.added.some((member) => member.userId === userId);
  return brings && seq > before.seq + 1;
}

/** What the server has lost right below an entry, if anything. */
export function lostBefore(lost: readonly Lost[], { seq }: Pick<Entry, "seq">): Lost | undefined {
  return lost.find(([, toSeq]) => toSeq === seq - 1);
}
