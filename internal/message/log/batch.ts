import type { RosterEntry } from "../../base/group.ts";
import type { Head } from "../../base/head.ts";
import { equalBytes } from "../../base/ids.ts";
import { encodeCell } from "../../wire/entry-bytes.ts";
import { entryBody } from "../group/member-entry.ts";
import type { Draft } from "../group/roster.ts";
import type { EntryCellPut } from "../ports.ts";
import type { FoundHead } from "./head-finder.ts";
import type { PendingSend } from "./pending-sends.ts";

/** One entry to be appended, and the equal sends that share its answer. */
export interface BatchItem {
  readonly send: PendingSend;
  readonly joined: PendingSend[];
  /** What a change comes to. */
  readonly draft: Draft | undefined;
  /** The same with its place in the log. */
  entry: RosterEntry | undefined;
  seq: number;
  ordinal: number;
  cell: Uint8Array;
}

/** The sender that a void names (entry-cell.ts, voidBody). */
const NO_ONE = { sender: "", clientId: new Uint8Array(0), baseSeq: 0 };

/** The sends of one round of a thread, sorted into those answered, those put back, and those to be appended. */
export class Batch {
  readonly threadId: Uint8Array;
  taken: readonly PendingSend[] = [];
  /** Answered, refused or doubted. */
  readonly settled = new Set<PendingSend>();
  /** Sends whose refusal depends on whether the head in use is old. */
  readonly doubted: PendingSend[] = [];
  /** A head that proves the one in use to be old: nothing of the batch is appended. */
  newer: FoundHead | undefined;
  readonly items: BatchItem[] = [];
  createdAtMs = 0;

  constructor(threadId: Uint8Array) {
    this.threadId = threadId;
  }

  /** Adds a send that is not in the log; one equal to another of the batch joins it and shares the answer. */
  add(send: PendingSend, draft?: Draft): void {
    for (const item of this.items) {
      if (!isSameSend(item.send, send)) continue;
      item.joined.push(send);
      return;
    }
    const cell = send.body.bytes;
    this.items.push({ send, joined: [], draft, entry: undefined, seq: 0, ordinal: 0, cell });
  }

  /** The sends of the batch that still wait for an answer. */
  unsettled(): readonly PendingSend[] {
    return this.settled.size === 0 ? this.taken : this.taken.filter((send) => !this.settled.has(send));
  }

  /** Gives each item its place above `head`. Returns the cells and the head that the append makes. */
  build(head: Head, nowMs: number): { cells: EntryCellPut[]; next: Head } {
    this.createdAtMs = nowMs;
    let { seq, ordinal, membersSeq } = head;
    const cells = this.items.map((item) => {
      const { userId: sender, clientId, baseSeq, tag, kind } = item.send;
      let { body } = item.send;
      seq += 1;
      if (body.isMessage) ordinal += 1;
      item.seq = seq;
      item.ordinal = ordinal;
      if (item.draft) {
        const place = { threadId: this.threadId, seq, ordinal, previousSeq: head.membersSeq };
        item.entry = { ...place, createdAtMs: nowMs, sender, requestId: clientId, ...item.draft };
        body = { ...body, bytes: entryBody(item.entry) };
        membersSeq = seq;
      }
      const from = kind === "void" ? NO_ONE : { sender, clientId, baseSeq };
      item.cell = encodeCell({ ...from, ordinal, createdAtMs: nowMs, body });
      return { seq, tag, value: item.cell };
    });
    return { cells, next: { ...head, seq, ordinal, membersSeq } };
  }
}

function isSameSend(a: PendingSend, b: PendingSend): boolean {
  return a.tagKey === b.tagKey && a.userId === b.userId && equalBytes(a.clientId, b.clientId);
}
