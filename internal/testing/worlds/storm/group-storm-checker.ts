import assert from "node:assert/strict";
import type { Entry } from "../../../gen/heddle/message/v1/entry_pb.js";
import { type GroupStormClient, heldTo } from "./group-storm-client.ts";

/** The log of one thread, put together from what all clients hold of it. */
type Log = ReadonlyMap<number, Entry>;

/** From when to when a user was a member, both ends seen; Infinity: it is. */
interface Stay {
  readonly fromSeq: number;
  toSeq: number;
}

/**
 * Reads only what clients hold of a group, and finds what may not be: two histories, an entry at one who may not see it
 * by the member entries in the log, one of somebody who was no member, a hole that its client does not know of.
 * `headSeq` is what a member is told that the head is.
 */
export function checkGroup(clients: readonly GroupStormClient[], thread: string, headSeq: number): void {
  const log = logOf(clients, thread);
  for (let seq = 1; seq <= headSeq; seq++)
    assert.ok(log.has(seq), `hole: nobody holds entry ${seq} of ${thread}`);
  const stays = staysIn(log);
  for (const [seq, { sender, body }] of log) {
    const isMember = stays.get(sender)?.some(({ fromSeq, toSeq }) => fromSeq < seq && seq <= toSeq);
    assert.ok(
      body?.kind.case !== "text" || isMember,
      `judged: entry ${seq} is by ${sender}, who was no member`,
    );
  }
  for (const client of clients) checkClient(client, thread, stays.get(client.userId) ?? [], headSeq);
}

/** What one client holds: nothing that it may not see, and all of its last stay. */
function checkClient(
  client: GroupStormClient,
  thread: string,
  stays: readonly Stay[],
  headSeq: number,
): void {
  const { userId } = client;
  const held = client.held.get(thread);
  for (const seq of held?.entries.keys() ?? []) {
    const maySee = stays.some(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq);
    assert.ok(maySee, `leak: ${userId} got entry ${seq} of ${thread}`);
  }
  // What was before the last time that it came is not for it any more, and not missed.
  const last = stays.at(-1);
  if (!last) return;
  const toSeq = Math.min(last.toSeq, headSeq);
  const reached = held ? heldTo({ ...held, firstSeq: last.fromSeq }) : 0;
  assert.ok(
    reached >= toSeq,
    `hole: ${userId} holds ${thread} to ${reached}, not to ${toSeq}, and was told nothing`,
  );
}

/** A log of two users: the same bytes at the same seq. */
export function checkDirect(clients: readonly GroupStormClient[], thread: string): void {
  logOf(clients, thread);
}

/** Throws where two hold different bytes at one seq. */
function logOf(clients: readonly GroupStormClient[], thread: string): Log {
  const log = new Map<number, Entry>();
  const bytesAt = new Map<number, string>();
  for (const { userId, held } of clients) {
    for (const [seq, { bytes, entry }] of held.get(thread)?.entries ?? []) {
      const before = bytesAt.get(seq) ?? bytes;
      assert.equal(before, bytes, `fork: ${userId} holds another entry ${seq} of ${thread}`);
      bytesAt.set(seq, bytes);
      log.set(seq, entry);
    }
  }
  return new Map([...log].sort(([a], [b]) => a - b));
}

/** By user, as the member entries in the log have it. */
function staysIn(log: Log): Map<string, Stay[]> {
  const stays = new Map<string, Stay[]>();
  for (const [seq, { body }] of log) {
    if (body?.kind.case !== "memberChange") continue;
    for (const { userId } of body.kind.value.added) {
      const of = stays.get(userId) ?? [];
      of.push({ fromSeq: seq, toSeq: Number.POSITIVE_INFINITY });
      stays.set(userId, of);
    }
    for (const userId of body.kind.value.removed) {
      const last = stays.get(userId)?.at(-1);
      if (last) last.toSeq = seq;
    }
  }
  return stays;
}
