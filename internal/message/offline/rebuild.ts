import type { Roster, RosterEntry } from "../../base/group.ts";
import { BUCKET_SIZE, decodeHead, EMPTY_HEAD, type Head } from "../../base/head.ts";
import { equalBytes, hex } from "../../base/ids.ts";
import { directThreadId, isGroupThread } from "../../base/thread-id.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import { type Positions, positionsOf } from "../cells/receipt-cell.ts";
import { previousOf, rosterEntryOf } from "../group/member-entry.ts";
import { applyEntry, EMPTY_ROSTER } from "../group/roster.ts";
import type { EntryCellPut, ReadPosition, Row, RowKey } from "../ports.ts";

/** Hashes that are made to find who else is in direct threads in which one user alone shows: about half a minute. */
const MAX_GUESSES = 20_000_000;

/** Rows, empty but for what no log holds. `atMs` is the time that they take for now. */
export interface RebuiltRows {
  createDirect(threadId: Uint8Array, users: readonly [string, string], atMs: number): Promise<void>;
  touch(threadId: Uint8Array, ownerIds: readonly string[], headBucket: number, atMs: number): Promise<void>;
  project(entry: RosterEntry, headBucket: number, atMs: number): Promise<number>;
  noteActivity(threadId: Uint8Array, headBucket: number, atMs: number): Promise<void>;
  raiseRead(positions: readonly ReadPosition[]): Promise<void>;
}

/** What the log does not say, and rows from before may. */
export interface Hints {
  /** Both users of a direct thread, by thread id in hex. */
  readonly pairs: ReadonlyMap<string, readonly [string, string]>;
  /** Users that the old rows know. */
  readonly users: Iterable<string>;
  /** Threads of which the epoch is of a head made anew, and not of a block. In hex. */
  readonly epochsMade: ReadonlySet<string>;
}

/** What was made. */
export interface Rebuilt {
  direct: number;
  groups: number;
  memberEntries: number;
  readPositions: number;
  /** Direct threads of which only one user is known: they show again once somebody writes there. In hex. */
  readonly unknownOthers: string[];
  /**
   * Direct threads in which a block was set, or lifted, at some time, or of which an earlier repair made the head anew:
   * which of these, and whether a block stands, the log does not say. In hex.
   */
  readonly maybeBlocked: string[];
  /** Direct threads of which the head was lost that would say whether a block was ever set. In hex. */
  readonly unknownBlocks: string[];
  /** Threads with entries that cannot be read, or do not follow one another. In hex. */
  readonly damaged: string[];
}

/**
 * Makes rows and projections anew from the logs: direct rows with both participants, groups entry by entry, read
 * positions from `r` cells, recency from the last entry.
 */
export class Rebuild {
  readonly made: Rebuilt = {
    direct: 0,
    groups: 0,
    memberEntries: 0,
    readPositions: 0,
    unknownOthers: [],
    maybeBlocked: [],
    unknownBlocks: [],
    damaged: [],
  };
  readonly #rows: RebuiltRows;
  readonly #pairs: Hints["pairs"];
  readonly #users: Set<string>;
  readonly #epochsMade: Hints["epochsMade"];
  /** Direct threads that wait for all users to be known. */
  readonly #open: OpenThread[] = [];
  #thread: OpenThread | undefined;

  constructor(rows: RebuiltRows, hints: Hints) {
    this.#rows = rows;
    this.#pairs = hints.pairs;
    this.#users = new Set(hints.users);
    this.#epochsMade = hints.epochsMade;
  }

  /** Takes the next row: of a thread after the other, the buckets in order, the receipts last. */
  async addRow(key: RowKey, row: Row): Promise<void> {
    if (!this.#thread || !equalBytes(this.#thread.threadId, key.threadId)) {
      await this.#end();
      this.#thread = new OpenThread(key.threadId);
    }
    const thread = this.#thread;
    if (row.head?.length === 32) thread.head = decodeHead(row.head);
    for (const [userId, positions] of positionsOf(row.cells)) {
      thread.positions.set(userId, positions);
      this.#users.add(userId);
    }
    try {
      for (const cell of row.entries) await this.#entry(thread, cell, key.bucket);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      thread.isDamaged = true;
    }
  }

  /** After the last row. */
  async finish(): Promise<void> {
    await this.#end();
    let guesses = 0;
    for (const thread of this.#open) {
      const [known] = thread.users;
      guesses += this.#users.size;
      const other = known && guesses <= MAX_GUESSES ? this.#otherOf(thread.threadId, known) : undefined;
      if (known && other) await this.#direct(thread, [known, other]);
      else this.made.unknownOthers.push(hex(thread.threadId));
    }
  }

  async #entry(thread: OpenThread, { seq, value }: EntryCellPut, bucket: number): Promise<void> {
    const cell = decodeCell(value);
    const atMs = Number(cell.createdAtMs);
    thread.firstAtMs ??= atMs;
    thread.lastAtMs = atMs;
    // A void names no one.
    if (cell.sender !== "") {
      thread.users.add(cell.sender);
      this.#users.add(cell.sender);
    }
    if (!thread.isGroup || previousOf(cell.body) === undefined || thread.isDamaged) return;
    const entry = rosterEntryOf(thread.threadId, seq, cell, thread.roster);
    const applied = await this.#rows.project(entry, bucket, atMs);
    if (applied !== seq) thread.isDamaged = true;
    thread.roster = applyEntry(thread.roster, entry);
    for (const { userId } of entry.added) this.#users.add(userId);
    this.made.memberEntries += 1;
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    if (thread.isDamaged) this.made.damaged.push(hex(thread.threadId));
    if (thread.isGroup) await this.#group(thread);
    else await this.#endDirect(thread);
  }

  async #group(thread: OpenThread): Promise<void> {
    const { threadId, roster, bucket, lastAtMs } = thread;
    if (roster.appliedSeq === 0) return;
    this.made.groups += 1;
    if (roster.isLarge) await this.#rows.noteActivity(threadId, bucket, lastAtMs);
    else await this.#rows.touch(threadId, [...roster.members.keys()], bucket, lastAtMs);
    await this.#read(thread);
  }

  async #endDirect(thread: OpenThread): Promise<void> {
    const key = hex(thread.threadId);
    if (this.#epochsMade.has(key)) this.made.unknownBlocks.push(key);
    else if (thread.head.epoch > 0) this.made.maybeBlocked.push(key);
    for (const userId of thread.positions.keys()) thread.users.add(userId);
    const pair = this.#pairs.get(key) ?? pairOf(thread);
    if (pair) await this.#direct(thread, pair);
    else if (thread.head.seq > 0) this.#open.push(thread);
  }

  async #direct(thread: OpenThread, pair: readonly [string, string]): Promise<void> {
    const { threadId, bucket, firstAtMs = 0, lastAtMs } = thread;
    await this.#rows.createDirect(threadId, pair, firstAtMs);
    await this.#rows.touch(threadId, pair, bucket, lastAtMs);
    await this.#read(thread);
    this.made.direct += 1;
  }

  async #read({ threadId, positions, head }: OpenThread): Promise<void> {
    const read = [...positions]
      .filter(([, { readSeq }]) => readSeq > 0 && readSeq <= head.seq)
      .map(([ownerId, { readSeq, readOrdinal }]) => ({ ownerId, threadId, readSeq, readOrdinal }));
    if (read.length > 0) await this.#rows.raiseRead(read);
    this.made.readPositions += read.length;
  }

  #otherOf(threadId: Uint8Array, known: string): string | undefined {
    for (const userId of this.#users) {
      if (userId !== known && equalBytes(directThreadId(known, userId), threadId)) return userId;
    }
    return undefined;
  }
}

/** Of those who show in a direct thread, the two that its id names: others may have been blocked, and sealed. */
function pairOf({ threadId, users }: OpenThread): readonly [string, string] | undefined {
  const all = [...users];
  for (const a of all)
    for (const b of all) if (a < b && equalBytes(directThreadId(a, b), threadId)) return [a, b];
  return undefined;
}

class OpenThread {
  readonly threadId: Uint8Array;
  readonly isGroup: boolean;
  readonly users = new Set<string>();
  readonly positions = new Map<string, Positions>();
  head: Head = EMPTY_HEAD;
  roster: Roster = EMPTY_ROSTER;
  firstAtMs: number | undefined;
  lastAtMs = 0;
  isDamaged = false;

  constructor(threadId: Uint8Array) {
    this.threadId = threadId;
    this.isGroup = isGroupThread(threadId);
  }

  /** The bucket of the next entry. */
  get bucket(): number {
    return Math.floor(this.head.seq / BUCKET_SIZE);
  }
}
