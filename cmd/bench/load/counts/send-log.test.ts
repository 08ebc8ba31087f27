import assert from "node:assert/strict";
import { SendLog } from "./send-log.ts";

const copy = (id: Uint8Array) => Uint8Array.from(id);

describe("SendLog", () => {
  it("counts latency from the moment a send was due", () => {
    const log = new SendLog();
    const [first, second] = [copy(log.next(1_000)), copy(log.next(1_010))];
    log.noteAccepted(second, 1_012);
    log.noteArrived(first, 1_040);
    assert.equal(Math.round(log.accepted.percentiles().p99_ms), 2);
    assert.equal(Math.round(log.arrived.percentiles().p99_ms), 40);
    assert.deepEqual(log.counts, { sent: 2, accepted: 1, arrived: 1, repeats: 0 });
    assert.equal(log.isSettled, false);
    log.noteAccepted(first, 1_050);
    log.noteArrived(second, 1_050);
    assert.equal(log.isSettled, true);
  });

  it("counts what comes again as a repeat, and its latency once", () => {
    const log = new SendLog();
    const id = copy(log.next(0));
    log.noteArrived(id, 1);
    log.noteArrived(id, 500);
    assert.deepEqual(log.counts, { sent: 1, accepted: 0, arrived: 1, repeats: 1 });
    assert.equal(log.arrived.count, 1);
  });

  it("gives every send an id of its own, in the form of a UUID v7", () => {
    const log = new SendLog();
    const ids = new Set(Array.from({ length: 70_000 }, () => Buffer.from(log.next(0)).toString("hex")));
    assert.equal(ids.size, 70_000);
    for (const id of ids) assert.match(id, /^.{12}7.{3}[89ab].{15}$/);
  });
});
