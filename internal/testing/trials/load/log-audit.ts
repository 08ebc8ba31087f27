import { toBinary } from "@bufbuild/protobuf";
import type { Entry } from "../../../../client/model/model.ts";
import type { Transport } from "../../../../client/transport/transport.ts";
import { toEntry } from "../../../../client/transport/wire.ts";
import { fromHex, hex } from "../../../base/ids.ts";
import { EntrySchema, type Entry as WireEntry } from "../../../gen/heddle/message/v1/entry_pb.js";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import type { LoadTexts } from "./load-texts.ts";
import type { SendLedger } from "./send-ledger.ts";

/** The largest page of ListEntries. */
const PAGE = 200;

/** A thread's log as ListEntries gives it to a member. */
export interface Log {
  /** Ascending. */
  readonly entries: readonly Entry[];
  /** Every entry's bytes, in hex. */
  readonly bytes: readonly string[];
  /** The seq of the head that came with the last page. */
  readonly headSeq: number;
}

/** Reads a whole log. Rejects as the transport does. */
export async function readLog(transport: Transport, token: string, threadId: string): Promise<Log> {
  const found: WireEntry[] = [];
  for (;;) {
    const { entries, head, hasMore } = await transport.call(
      MessageService.method.listEntries,
      {
        threadId: fromHex(threadId),
        position: { case: "afterSeq", value: found.at(-1)?.seq ?? 0n },
        pageSize: PAGE,
      },
      { token, timeoutMs: 10_000, signal: undefined },
    );
    found.push(...entries);
    if (hasMore) continue;
    const bytes = found.map((entry) => hex(toBinary(EntrySchema, entry)));
    return { entries: found.map(toEntry), bytes, headSeq: Number(head?.seq ?? 0n) };
  }
}

/** What is wrong with a log by itself: a hole, a repeated send, a wrong count. */
export function faultsOfLog({ entries, headSeq }: Log): string[] {
  const faults: string[] = [];
  const seen = new Map<string, number>();
  let ordinal = 0;
  entries.forEach((entry, at) => {
    if (entry.seq !== at + 1) faults.push(`seq ${entry.seq} stands at place ${at + 1}`);
    const send = `${entry.sender} ${entry.clientId}`;
    if (seen.has(send) && entry.clientId !== "")
      faults.push(`${send} is there twice: ${seen.get(send)} and ${entry.seq}`);
    seen.set(send, entry.seq);
    if (entry.body.kind === "text") ordinal += 1;
    if (entry.ordinal !== ordinal)
      faults.push(`seq ${entry.seq} has ordinal ${entry.ordinal}, not ${ordinal}`);
  });
  if (headSeq !== entries.length) faults.push(`the head says ${headSeq}, and ${entries.length} are there`);
  return faults;
}

/** What is wrong with all logs together, by what their senders were told. */
export function faultsOfAnswers(
  logs: ReadonlyMap<string, Log>,
  ledger: SendLedger,
  texts: LoadTexts,
): string[] {
  const faults = [...ledger.breaches];
  const byClientId = new Map<string, Entry>();
  const byText = new Map<string, Entry[]>();
  for (const { entries } of logs.values()) {
    for (const entry of entries) {
      byClientId.set(entry.clientId, entry);
      if (entry.body.kind !== "text") continue;
      byText.set(entry.body.text, [...(byText.get(entry.body.text) ?? []), entry]);
    }
  }
  for (const [clientId, place] of ledger.places()) {
    const entry = byClientId.get(clientId);
    if (
      entry?.threadId === place.threadId &&
      entry.seq === place.seq &&
      entry.createdAtMs === place.createdAtMs
    )
      continue;
    faults.push(`${clientId} was acknowledged at ${place.threadId}/${place.seq}; there: ${show(entry)}`);
  }
  for (const clientId of ledger.nevers()) {
    const entry = byClientId.get(clientId);
    // A void names no one: under the client_id itself there is nothing.
    if (entry) faults.push(`${clientId} was sealed, and is ${show(entry)}`);
  }
  for (const clientId of ledger.unknown()) faults.push(`what became of ${clientId} is not known`);
  return [...faults, ...faultsOfTexts(byText, texts)];
}

/** By text, which a second client_id does not hide. */
function faultsOfTexts(byText: ReadonlyMap<string, readonly Entry[]>, texts: LoadTexts): string[] {
  const faults: string[] = [];
  for (const [text, { userId, threadId, isKept }] of texts.meant) {
    const found = byText.get(text) ?? [];
    if (found.length > 1 || (isKept && found.length === 0)) {
      faults.push(`${text.slice(0, 40)} of ${userId} is there ${found.length} times`);
    }
    for (const entry of found) {
      if (entry.sender === userId && entry.threadId === threadId) continue;
      faults.push(`${text.slice(0, 40)} of ${userId} is ${show(entry)}`);
    }
  }
  for (const text of byText.keys())
    if (!texts.meant.has(text)) faults.push(`nobody meant ${text.slice(0, 40)}`);
  return faults;
}

/** For a person who reads a fault. */
function show(entry: Entry | undefined): string {
  return entry ? `${entry.threadId}/${entry.seq} (${entry.body.kind}) of ${entry.sender}` : "not there";
}
