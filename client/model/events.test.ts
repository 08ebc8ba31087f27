import assert from "node:assert/strict";
import { Events } from "./events.ts";
import type { ClientEvent } from "./model.ts";

const behind = (upTo: number): ClientEvent => ({ type: "behind", threadId: "aa", upTo });

describe("Events", function () {
  this.timeout(20_000);
  it("reach every listener in order, and one that throws costs the others nothing", () => {
    const faults: unknown[] = [];
    const events = new Events((fault) => faults.push(fault));
    const seen: number[] = [];
    events.on(() => {
      throw new Error("mine");
    });
    const stop = events.on((event) => event.type === "behind" && seen.push(event.upTo));
    events.emit(behind(1));
    events.emit(behind(2));
    stop();
    events.emit(behind(3));
    assert.deepEqual(seen, [1, 2]);
    assert.equal(faults.length, 3);
  });

  it("wait for a reader within bounds; beyond them it is told that it missed some", async () => {
    const events = new Events();
    const reader = events.iterate(undefined);
    for (let at = 0; at < 5_000; at++) events.emit(behind(at));
    assert.deepEqual((await reader.next()).value, { type: "behind_all" });
    const next = (await reader.next()).value;
    assert.ok(next?.type === "behind" && next.upTo === 4_096);
  });

  it("let a pull wait while a reader is crowded", async () => {
    const events = new Events();
    const reader = events.iterate(undefined);
    await events.calm();
    for (let at = 0; at < 1_100; at++) events.emit(behind(at));
    let isCalm = false;
    const calm = events.calm().then(() => {
      isCalm = true;
    });
    await reader.next();
    await Promise.resolve();
    assert.equal(isCalm, false);
    for (let at = 0; at < 100; at++) await reader.next();
    await calm;
  });

  it("end with the signal, with the loop, and with the client", async () => {
    const events = new Events();
    const end = new AbortController();
    const bySignal = events.iterate(end.signal).next();
    const byClient = events.iterate(undefined).next();
    end.abort();
    assert.equal((await bySignal).done, true);
    const loop = (async () => {
      for await (const _ of events.iterate(undefined)) break;
    })();
    events.emit(behind(1));
    await loop;
    assert.equal((await byClient).done, false);
    const last = events.iterate(undefined).next();
    events.close();
    assert.equal((await last).done, true);
    assert.equal((await events.iterate(undefined).next()).done, true);
  });
});
