import assert from "node:assert/strict";
import type { Entry } from "../../../../client/model/model.ts";
import { SeededRandom } from "../../fakes/time/seeded-random.ts";
import { DeviceDiary } from "./device-diary.ts";
import { LoadTexts } from "./load-texts.ts";
import { faultsOfAnswers, faultsOfLog, type Log } from "./log-audit.ts";
import { SendLedger } from "./send-ledger.ts";

const THREAD = "a".repeat(32);

function entry(seq: number, clientId: string, text?: string): Entry {
  const body = text === undefined ? ({ kind: "void" } as const) : ({ kind: "text", text } as const);
  const common = { threadId: THREAD, sender: "ann", baseSeq: 0, createdAtMs: 1_000 + seq };
  return { ...common, seq, clientId, ordinal: seq, body };
}

const log = (...entries: Entry[]): Log => ({ entries, bytes: [], headSeq: entries.length });
const at = (seq: number) => ({ threadId: THREAD, seq, createdAtMs: 1_000 + seq });

describe("The audit of a load", () => {
  let ledger: SendLedger;
  let texts: LoadTexts;
  let text: string;
  beforeEach(() => {
    ledger = new SendLedger();
    texts = new LoadTexts();
    text = texts.make("ann", THREAD, new SeededRandom(1));
    ledger.tried("c1", "phone", {});
  });
  const faults = (found: Log) => faultsOfAnswers(new Map([[THREAD, found]]), ledger, texts).join("; ");

  it("finds nothing where there is nothing", () => {
    ledger.placed("c1", "phone", at(1));
    texts.kept(text);
    assert.equal(faults(log(entry(1, "c1", text))), "");
    assert.deepEqual(faultsOfLog(log(entry(1, "c1", text), entry(2, "c2", "x"))), []);
  });

  it("finds a hole, a send that is there twice, a wrong count and a wrong head", () => {
    assert.match(faultsOfLog(log(entry(2, "c1", "x"))).join(), /seq 2 stands at place 1/);
    assert.match(faultsOfLog(log(entry(1, "c1", "x"), entry(2, "c1", "x"))).join(), /twice: 1 and 2/);
    assert.match(faultsOfLog(log(entry(1, "c1"))).join(), /has ordinal 1, not 0/);
    assert.match(faultsOfLog({ ...log(), headSeq: 1 }).join(), /the head says 1/);
  });

  it("finds what was acknowledged and is not there, or not there as it was told", () => {
    ledger.placed("c1", "phone", at(1));
    assert.match(faults(log()), /c1 was acknowledged at .*not there/);
    assert.match(faults(log(entry(1, "c2", text))), /c1 was acknowledged/);
    assert.match(faults(log({ ...entry(1, "c1", text), createdAtMs: 5 })), /c1 was acknowledged/);
  });

  it("finds two answers that differ, and a seal that was broken", () => {
    ledger.placed("c1", "phone", at(1));
    ledger.placed("c1", "phone", at(2), true);
    ledger.tried("c2", "phone", {});
    ledger.never("c2");
    assert.doesNotMatch(faults(log(entry(1, ""))), /was sealed/);
    assert.match(faults(log(entry(1, "c2", text))), /told .*\/1 .* then .*\/2 .*c2 was sealed, and is/);
  });

  it("finds a text that is there under two client_ids, one that is lost, and one that nobody meant", () => {
    texts.kept(text);
    assert.match(faults(log(entry(1, "c1", text), entry(2, "c2", text))), /is there 2 times/);
    assert.match(faults(log()), /is there 0 times/);
    assert.match(faults(log(entry(1, "c1", text), entry(2, "c3", "spam"))), /nobody meant spam/);
  });

  it("counts a send as in flight, unknown and resolved as its device sees it", () => {
    const lane = {};
    ledger.tried("c2", "phone", lane);
    assert.equal(ledger.killed(), 2);
    ledger.lost(lane);
    assert.deepEqual(ledger.unknown(), ["c1", "c2"]);
    ledger.placed("c2", "laptop", at(1)); // Another device saw it; the phone does not know.
    assert.deepEqual(ledger.unknown(), ["c1", "c2"]);
    ledger.placed("c2", "phone", at(1), true);
    assert.deepEqual(ledger.unknown(), ["c1"]);
    const { duplicatesAcrossKills, unknownsResolved, resolvedAfterKills } = ledger.counts;
    assert.deepEqual([duplicatesAcrossKills, unknownsResolved, resolvedAfterKills], [1, 1, 1]);
    assert.match(faults(log(entry(1, "c2", text))), /what became of c1 is not known/);
  });

  it("finds a device that is given a hole, a repeat within one life, or another entry than before", () => {
    const diary = new DeviceDiary("phone");
    diary.give(entry(1, "c1", "x"));
    diary.begin();
    diary.give(entry(1, "c1", "x")); // A crash forgot it: no fault.
    assert.deepEqual(diary.breaches, []);
    diary.give(entry(3, "c3", "z"));
    diary.give(entry(3, "c3", "z"));
    diary.begin();
    diary.give(entry(1, "c1", "y"));
    assert.equal(diary.breaches.length, 3);
  });
});
