import type { Roster } from "../../base/group.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import { previousOf, rosterEntryOf } from "../group/member-entry.ts";
import { applyEntry, EMPTY_ROSTER } from "../group/roster.ts";
import type { EntryCellPut } from "../ports.ts";

/**
 * Whether what the rows say of a group is what its log says up to the same entry: rows have no checksums, and the log
 * has. Entries are given in order.
 */
export class RosterCheck {
  readonly #threadId: Uint8Array;
  readonly #stored: Roster;
  #roster: Roster = EMPTY_ROSTER;
  #isBroken = false;

  constructor(threadId: Uint8Array, stored: Roster) {
    this.#threadId = threadId;
    this.#stored = stored;
  }

  addEntry({ seq, value }: EntryCellPut): void {
    // An entry that came right before the end may not be in the rows yet: the next look at the group takes it over.
    if (this.#isBroken || seq > this.#stored.appliedSeq) return;
    try {
      const cell = decodeCell(value);
      const previous = previousOf(cell.body);
      if (previous === undefined) return;
      this.#isBroken = previous !== this.#roster.appliedSeq;
      if (!this.#isBroken)
        this.#roster = applyEntry(this.#roster, rosterEntryOf(this.#threadId, seq, cell, this.#roster));
    } catch {
      this.#isBroken = true; // The check of the thread tells what is wrong with the log.
    }
  }

  /** After the last entry, in a sentence each. None where the log itself has lost some. */
  problems(): readonly string[] {
    if (this.#isBroken) return [];
    const [stored, logged] = [this.#stored, this.#roster];
    if (stored.appliedSeq !== logged.appliedSeq)
      return [`the rows have its members as of seq ${stored.appliedSeq}, which is no entry about members`];
    const problems: string[] = [];
    if (stored.name !== logged.name) problems.push("the rows have another name than its log");
    if (stored.isLarge !== logged.isLarge)
      problems.push("the rows and its log differ in whether it is large");
    for (const [userId, { role, joinedSeq }] of logged.members) {
      const row = stored.members.get(userId);
      if (!row) problems.push(`member ${userId} is not in the rows`);
      else if (row.role !== role || row.joinedSeq !== joinedSeq)
        problems.push(`the rows say other than its log of member ${userId}`);
    }
    for (const userId of stored.members.keys())
      if (!logged.members.has(userId)) problems.push(`member ${userId} of the rows is none by its log`);
    return problems;
  }
}
